"""From a campaign to its messages: each fan once, in few queries, with a text of their own; and who is rejected."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.campaigns import planning, segments, service
from app.campaigns.segments import Segment
from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import transaction
from app.extensions import db
from app.messages import bulk
from app.messages.models import Message, Priority, Status, Step
from app.messages.rules import Draft
from tests.campaigns.campaigns import crowd, launch, messages
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")


def test_each_fan_gets_one_message_with_their_own_text(cast: Cast) -> None:
    tom, uma, vic = cast.fans[:3]
    media = ({"type": "image", "url": "https://cdn.example.com/a.jpg"},)
    campaign = launch(cast.ada, [vic, tom, vic, uma, tom], attachments=media, price_cents=500)
    rows = messages(campaign)
    assert [row.fan_id for row in rows] == [vic.id, tom.id, uma.id]
    assert [row.text for row in rows] == ["Hi Vic Vapour!", "Hi Tom Tester!", "Hi Uma Umbrella!"]
    assert len({row.public_id for row in rows}) == 3
    for row in rows:
        assert (row.status, row.priority, row.price_cents) == (Status.QUEUED, Priority.LOW, 500)
        assert (row.attachments, row.next_step) == (list(media), Step.UPLOAD)
        assert (row.author_id, row.account_id, row.held) == (cast.ada.id, cast.account.id, False)
        assert (row.due_at, row.published_at) == (campaign.created_at, None)
    assert (campaign.wanted, campaign.rejected) == (3, [])


def test_a_message_is_the_last_one_of_its_conversation(cast: Cast) -> None:
    newcomer = crowd(cast, 1)[0]
    before = cast.conversations[0].version
    launch(cast.ada, [cast.fans[0], newcomer])
    for fan in (cast.fans[0], newcomer):
        conversation = db.session.scalars(select(Conversation).where(Conversation.fan_id == fan.id)).one()
        db.session.refresh(conversation)
        assert (conversation.last_message, conversation.last_direction) == (f"Hi {fan.name}!", "out")
        assert conversation.last_message_at is not None
    assert cast.conversations[0].version == before + 1


def test_a_campaign_never_hides_that_somebody_waits_for_an_answer(cast: Cast) -> None:
    tom = cast.conversations[0]
    conversations.touch(tom.id, "Are you there?", now() - timedelta(hours=3), "in")
    db.session.refresh(tom)
    before = tom.version
    launch(cast.ada, cast.fans[:2])
    db.session.refresh(tom)
    assert (tom.last_message, tom.last_direction, tom.version) == ("Are you there?", "in", before + 1)
    again = segments.audience(cast.account.id, Segment(quiet_minutes=60), now(), some=9)
    assert [fan.id for fan in again.some] == [cast.fans[2].id]


def test_who_cannot_be_written_to_is_rejected_with_the_reason(cast: Cast) -> None:
    gone, long_name = crowd(cast, 2)
    with transaction():
        gone.unreachable_at, long_name.name = now(), "x" * 200
    nameless, eves = cast.fans[-1], cast.eves_conversation.fan_id
    text = "{{name}}" + "x" * 4900
    draft = Draft(text=text, priority=Priority.LOW)
    wanted = [nameless.id, eves, 10**17, gone.id, long_name.id, cast.fans[0].id]
    campaign = service.launch(cast.ada, None, "News", draft, wanted)
    assert [row.fan_id for row in messages(campaign)] == [cast.fans[0].id]
    assert [(one["recipientId"], one["reason"]) for one in campaign.rejected] == [
        (nameless.id, planning.NO_PLATFORM_ID),
        (eves, planning.UNKNOWN),
        (10**17, planning.UNKNOWN),
        (gone.id, planning.UNREACHABLE),
        (long_name.id, "With what is known of this fan the text is longer than 5000 characters"),
    ]


def test_a_hundred_fans_cost_no_more_queries_than_two(cast: Cast) -> None:
    many = crowd(cast, 100)
    costs = []
    for fans in (many[:2], many[2:]):
        with count_queries() as statements:
            launch(cast.ada, fans)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 12
    assert db.session.scalar(select(func.count()).select_from(Message)) == 100


def test_later_is_scheduled(cast: Cast) -> None:
    later = now() + timedelta(hours=1)
    campaign = launch(cast.ada, cast.fans[:2], scheduled_at=later)
    assert {(row.status, row.due_at, row.queued_at) for row in messages(campaign)} == {(Status.SCHEDULED, later, None)}


def test_written_twice_each_fan_still_gets_it_once(cast: Cast) -> None:
    campaign = launch(cast.ada, cast.fans[:3])
    first = [row.public_id for row in messages(campaign)]
    planning.plan_named(campaign, [fan.id for fan in cast.fans])
    assert [row.public_id for row in messages(campaign)] == first


def test_nobody_is_nobody(cast: Cast) -> None:
    campaign = launch(cast.ada, [])
    assert messages(campaign) == []
    assert bulk.unpublished(campaign.id, 10) == []
