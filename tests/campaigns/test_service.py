"""What creators do to campaigns: between any two of its messages, and with messages in every state."""

from collections.abc import Callable

import pytest

from app.accounts.models import AuditEvent, Role
from app.campaigns import queries, service
from app.campaigns.models import Campaign
from app.campaigns.rules import Counts
from app.db import database_now, transaction
from app.errors import Conflict, NotAllowed, NotFound
from app.extensions import db
from app.messages import claims, outcomes
from app.messages import service as messages_service
from app.messages.models import Priority, Status, Step
from app.messages.outcomes import Failed, Later, Sent
from tests.campaigns.campaigns import counts, launch, messages
from tests.messages.line import change, claim, fresh, must_claim, must_claim_chore, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
Act = Callable[..., object]
ACTS: list[Act] = [service.pause, service.resume, service.cancel, service.retry_failed]


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    """A campaign of Ada's to three fans; its messages may go now."""
    return launch(cast.ada, cast.fans[:3], received=True)


def stage(cast: Cast, campaign: Campaign) -> str:
    """Where it stands."""
    return queries.standing(cast.ada, campaign.id).stage


def deliver(cast: Cast) -> None:
    """The account's next message is delivered."""
    envelope = must_claim(cast.account)
    outcomes.record([(envelope, Sent(f"p{envelope.message_id}"))])


@pytest.mark.parametrize("sent", range(4))
def test_a_pause_between_any_two_messages_stops_the_rest_until_it_is_resumed(
    cast: Cast, campaign: Campaign, sent: int
) -> None:
    for _ in range(sent):
        deliver(cast)
    if sent == 3:
        assert stage(cast, campaign) == "completed"
        with pytest.raises(Conflict, match="over"):
            service.pause(cast.ada, campaign.id)
        return
    service.pause(cast.ada, campaign.id)
    assert claim(cast.account) is None
    assert stage(cast, campaign) == "paused"
    assert counts(cast.ada, campaign) == Counts(sent=sent, queued=3 - sent)
    service.resume(cast.ada, campaign.id)
    for _ in range(3 - sent):
        deliver(cast)
    assert counts(cast.ada, campaign) == Counts(sent=3)
    assert stage(cast, campaign) == "completed"
    assert len({row.fan_id for row in messages(campaign)}) == 3


def test_a_paused_campaign_holds_nothing_back(cast: Cast, campaign: Campaign) -> None:
    service.pause(cast.ada, campaign.id)
    answer = queue(cast.ada, cast.conversations[0], priority=Priority.LOW)
    assert must_claim(cast.account).message_id == answer.id


def test_answers_pass_a_campaign_and_campaigns_go_in_the_order_of_launching(cast: Cast, campaign: Campaign) -> None:
    second = launch(cast.ada, cast.fans[:3], received=True)
    answer = queue(cast.ada, cast.conversations[2])
    order = [must_claim(cast.account).message_id]
    outcomes.record([])
    for _ in range(6):
        envelope = claim(cast.account)
        if envelope is not None:
            order.append(envelope.message_id)
            outcomes.record([(envelope, Sent(f"p{envelope.message_id}"))])
    assert order == [answer.id, *(row.id for row in messages(campaign)), *(row.id for row in messages(second))]


def test_what_is_on_its_way_when_paused_arrives_or_waits(cast: Cast, campaign: Campaign) -> None:
    arrives, comes_back = must_claim(cast.account), must_claim(cast.account)
    service.pause(cast.ada, campaign.id)
    outcomes.record([(arrives, Sent("p1")), (comes_back, Later(Step.SEND, 0.0, "busy", counted=False))])
    assert counts(cast.ada, campaign) == Counts(sent=1, queued=2)
    assert claim(cast.account) is None
    service.resume(cast.ada, campaign.id)
    assert must_claim(cast.account).message_id == comes_back.message_id


def test_what_is_on_its_way_when_paused_keeps_its_place_in_the_conversation(cast: Cast, campaign: Campaign) -> None:
    flying = must_claim(cast.account)
    second = launch(cast.ada, [cast.fans[0]], received=True)
    service.pause(cast.ada, campaign.id)
    assert claim(cast.account) is None
    outcomes.record([(flying, Sent("p1"))])
    assert must_claim(cast.account).campaign_id == second.id


@pytest.mark.parametrize("act", [service.pause, service.cancel])
def test_an_unclear_end_is_looked_up_but_not_tried_again(cast: Cast, campaign: Campaign, act: Act) -> None:
    envelope = must_claim(cast.account)
    act(cast.ada, campaign.id)
    outcomes.record([(envelope, Later(Step.LOOK_UP, 0.0, "time-out", unclear=True))])
    look_up = must_claim_chore()
    assert look_up.message_id == envelope.message_id
    outcomes.record([(look_up, Later(Step.SEND, 0.0, "not there", counted=False))])
    assert claim(cast.account) is None
    service.settle_canceled()
    expected = Status.CANCELED if act is service.cancel else Status.QUEUED
    assert messages(campaign)[0].status == expected


def test_canceling_takes_back_what_has_not_left(cast: Cast, campaign: Campaign) -> None:
    deliver(cast)
    flying = must_claim(cast.account)
    service.cancel(cast.ada, campaign.id)
    assert counts(cast.ada, campaign) == Counts(sent=1, sending=1, canceled=1)
    assert claim(cast.account) is None
    outcomes.record([(flying, Later(Step.SEND, 5.0, "wait", counted=False))])
    assert counts(cast.ada, campaign) == Counts(sent=1, queued=1, canceled=1)
    service.settle_canceled()
    assert counts(cast.ada, campaign) == Counts(sent=1, canceled=2)
    assert stage(cast, campaign) == "canceled"
    for act in ACTS:
        with pytest.raises(Conflict, match="canceled"):
            act(cast.ada, campaign.id)


def test_only_canceled_campaigns_are_settled(cast: Cast, campaign: Campaign) -> None:
    service.pause(cast.ada, campaign.id)
    service.settle_canceled()
    assert counts(cast.ada, campaign) == Counts(queued=3)


def test_a_scheduled_campaign_can_be_paused_and_canceled(cast: Cast) -> None:
    campaign = launch(cast.ada, cast.fans[:2], scheduled_at=database_now().replace(year=2099))
    assert stage(cast, campaign) == "scheduled"
    service.pause(cast.ada, campaign.id)
    assert stage(cast, campaign) == "paused"
    service.resume(cast.ada, campaign.id)
    assert stage(cast, campaign) == "scheduled"
    service.cancel(cast.ada, campaign.id)
    assert counts(cast.ada, campaign) == Counts(canceled=2)


def test_the_failed_are_queued_again_once_and_count_as_what_became_of_them(cast: Cast, campaign: Campaign) -> None:
    for code in (500, 400):
        outcomes.record([(must_claim(cast.account), Failed("refused", status_code=code))])
    with transaction():
        cast.fans[1].unreachable_at = database_now()
    assert counts(cast.ada, campaign) == Counts(failed=2, queued=1)
    assert service.retry_failed(cast.ada, campaign.id) == 1
    assert service.retry_failed(cast.ada, campaign.id) == 0
    assert counts(cast.ada, campaign) == Counts(failed=1, queued=2)
    again = messages(campaign)[-1]
    assert (again.fan_id, again.text, again.priority) == (cast.fans[0].id, "Hi Tom Tester!", Priority.LOW)
    results = queries.results(campaign, None, 50, 0)
    assert [(one.fan_id, one.status) for one in results] == [
        (cast.fans[1].id, "failed"),
        (cast.fans[2].id, "queued"),
        (cast.fans[0].id, "queued"),
    ]


def test_one_message_that_is_retried_stays_the_campaigns(cast: Cast, campaign: Campaign) -> None:
    outcomes.record([(must_claim(cast.account), Failed("refused"))])
    again = messages_service.retry(cast.ada, messages(campaign)[0].id)
    assert again.campaign_id == campaign.id
    assert counts(cast.ada, campaign) == Counts(queued=3)
    service.pause(cast.ada, campaign.id)
    assert fresh(again).held


def test_a_paused_campaign_retries_nothing(cast: Cast, campaign: Campaign) -> None:
    service.pause(cast.ada, campaign.id)
    with pytest.raises(Conflict, match="Resume"):
        service.retry_failed(cast.ada, campaign.id)


def test_doing_it_twice_is_doing_it_once(cast: Cast, campaign: Campaign) -> None:
    for act in (service.pause, service.pause, service.resume, service.resume):
        act(cast.ada, campaign.id)
    actions = [event.action for event in db.session.query(AuditEvent).order_by(AuditEvent.id)]
    assert [one for one in actions if one.startswith("campaign.")] == [
        "campaign.launched",
        "campaign.paused",
        "campaign.resumed",
    ]


def test_a_decision_that_somebody_else_made_meanwhile_stands(cast: Cast, campaign: Campaign) -> None:
    seen = queries.campaign(cast.ada, campaign.id)
    db.session.expunge(seen)
    service.cancel(cast.ada, campaign.id)
    with pytest.raises(Conflict, match="same moment"), transaction():
        service._decide(cast.ada, seen, service.Will.PAUSED, "paused")
    assert stage(cast, campaign) == "canceled"


def test_campaigns_are_for_creators_and_only_their_own(cast: Cast, campaign: Campaign) -> None:
    for act in ACTS:
        for somebody in (cast.max, cast.olga):
            with pytest.raises(NotAllowed):
                act(somebody, campaign.id)
        for campaign_id in (campaign.id, 10**9):
            with pytest.raises(NotFound, match=r"^Campaign not found$"):
                act(cast.eve, campaign_id)
    with pytest.raises(NotAllowed):
        launch(cast.max, cast.fans[:1])
    with pytest.raises(NotFound):
        launch(cast.eve, cast.fans[:1])
    assert cast.eve.role == Role.CREATOR
    assert counts(cast.ada, campaign) == Counts(queued=3)


def test_a_message_whose_upload_is_under_way_is_held_too(cast: Cast) -> None:
    media = ({"type": "image", "url": "https://cdn.example.com/a.jpg"},)
    campaign = launch(cast.ada, cast.fans[:2], attachments=media, received=True)
    upload = must_claim_chore()
    service.pause(cast.ada, campaign.id)
    outcomes.record([(upload, outcomes.Uploaded([7]))])
    assert claim(cast.account) is None
    assert claims.claim_chores(16) == []
    change(messages(campaign)[1], next_step=Step.SEND)
    service.resume(cast.ada, campaign.id)
    assert must_claim(cast.account).media_ids == [7]
