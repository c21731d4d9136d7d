"""A campaign that a downtime left over asks before it goes: nobody wants the morning's greeting at night."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.campaigns import queries, service
from app.campaigns.models import Campaign
from app.campaigns.rules import Counts
from app.clock import now
from app.db import transaction
from app.delivery import heartbeat
from app.delivery.housekeeping import Housekeeping
from app.delivery.models import WorkerHeartbeat
from app.extensions import db
from app.messages import upkeep
from tests.campaigns.campaigns import counts, launch, messages
from tests.messages.line import claim, must_claim, pass_time, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def keeper(cast: Cast) -> Housekeeping:
    """What a worker that starts now keeps house with; only the database is asked here."""
    return Housekeeping("new", None, None, None, None)  # type: ignore[arg-type]


def stage(cast: Cast, campaign: Campaign) -> str:
    """Where it stands."""
    return queries.standing(cast.ada, campaign.id).stage


def scheduled(cast: Cast, ago: timedelta) -> Campaign:
    """A campaign whose time came so long ago, and that nobody has looked at since."""
    campaign = launch(cast.ada, cast.fans[:2], scheduled_at=now() + timedelta(minutes=1), received=True)
    pass_time(ago + timedelta(minutes=1))
    return campaign


def test_a_scheduled_campaign_that_nobody_looked_at_in_time_asks(cast: Cast, keeper: Housekeeping) -> None:
    campaign = scheduled(cast, timedelta(minutes=20))
    single = queue(cast.ada, cast.conversations[2])
    for _ in range(2):
        keeper.promote_due()
    assert stage(cast, campaign) == "late"
    assert must_claim(cast.account).message_id == single.id
    assert claim(cast.account) is None


def test_once_somebody_says_so_it_goes_and_asks_no_more(cast: Cast, keeper: Housekeeping) -> None:
    campaign = scheduled(cast, timedelta(minutes=20))
    keeper.promote_due()
    service.resume(cast.ada, campaign.id)
    for _ in range(2):
        keeper.promote_due()
    assert stage(cast, campaign) == "queued"
    assert must_claim(cast.account).campaign_id == campaign.id


def test_or_it_is_canceled(cast: Cast, keeper: Housekeeping) -> None:
    campaign = scheduled(cast, timedelta(minutes=20))
    keeper.promote_due()
    service.cancel(cast.ada, campaign.id)
    assert counts(cast.ada, campaign) == Counts(canceled=2)


def test_a_few_minutes_late_is_in_time(cast: Cast, keeper: Housekeeping) -> None:
    campaign = scheduled(cast, timedelta(minutes=14))
    keeper.promote_due()
    assert stage(cast, campaign) == "queued"


def test_single_messages_are_never_held(cast: Cast, keeper: Housekeeping) -> None:
    single = queue(cast.ada, cast.conversations[2])
    with transaction():
        single.status, single.due_at, single.queued_at = "scheduled", now() - timedelta(days=1), None
    keeper.promote_due()
    assert must_claim(cast.account).message_id == single.id
    assert upkeep.promote_due() == 0


def fall_silent(period: timedelta) -> None:
    """The last worker was seen so long ago."""
    heartbeat.beat("old", "delivery")
    with transaction():
        db.session.execute(update(WorkerHeartbeat).values(beat_at=now() - period))
    heartbeat.leave("old")


@pytest.mark.parametrize(("minutes", "expected"), [(29, "queued"), (31, "late")])
def test_a_campaign_that_a_downtime_cut_off_asks(cast: Cast, keeper: Housekeeping, minutes: int, expected: str) -> None:
    campaign = launch(cast.ada, cast.fans[:2], received=True)
    over = launch(cast.ada, [])
    fall_silent(timedelta(minutes=minutes))
    keeper.look_back()
    assert stage(cast, campaign) == expected
    assert stage(cast, over) == "completed"
    assert (claim(cast.account) is None) == (expected == "late")


def test_it_looks_back_once_and_only_after_a_downtime(cast: Cast, keeper: Housekeeping) -> None:
    campaign = launch(cast.ada, cast.fans[:2], received=True)
    keeper.look_back()
    fall_silent(timedelta(hours=3))
    keeper.look_back()
    assert stage(cast, campaign) == "queued"
    assert {row.held for row in messages(campaign)} == {False}
