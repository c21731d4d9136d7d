"""What fans did after a campaign: answers and payments count once they got it, for a week."""

from datetime import timedelta
from itertools import count

import pytest

from app.campaigns.afterwards import Afterwards, afterwards
from app.campaigns.models import Campaign
from app.clock import now
from app.db import transaction
from app.earnings.models import Kind, Transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Status
from tests.campaigns.campaigns import launch, messages
from tests.messages.line import change, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOTHING = Afterwards(0, 0, 0, 0)
_numbers = count(1)


@pytest.fixture
def campaign(cast: Cast) -> Campaign:
    """Tom and Uma got it ten days ago, Vic didn't."""
    campaign = launch(cast.ada, cast.fans[:3])
    tom, uma, vic = messages(campaign)
    for message in (tom, uma):
        change(message, status=Status.SENT, sent_at=now() - 10 * DAY)
    change(vic, status=Status.FAILED)
    return campaign


def answer(cast: Cast, place: int, after: timedelta) -> None:
    """A fan writes, so long after the campaign."""
    message = queue(cast.ada, cast.conversations[place])
    change(message, direction="in", status="received", created_at=now() - 10 * DAY + after)


def pay(cast: Cast, fan: Fan, after: timedelta, cents: int = 1000, kind: Kind = Kind.MESSAGE) -> None:
    """A fan pays, so long after the campaign; a fifth stays with the platform."""
    with transaction():
        db.session.add(
            Transaction(
                account_id=cast.account.id,
                fan_id=fan.id,
                platform_id=f"t{next(_numbers)}",
                type=kind,
                gross_cents=cents,
                net_cents=cents * 4 // 5,
                received_at=now() - 10 * DAY + after,
            )
        )


def test_nothing_happened(cast: Cast, campaign: Campaign) -> None:
    assert afterwards(campaign) == NOTHING
    assert afterwards(launch(cast.ada, cast.fans[:1])) == NOTHING


def test_a_fan_who_answered_counts_once(cast: Cast, campaign: Campaign) -> None:
    for place, after in ((0, HOUR), (0, 2 * HOUR), (1, -HOUR), (2, HOUR)):
        answer(cast, place, after)
    assert afterwards(campaign) == Afterwards(1, 0, 0, 0)
    answer(cast, 1, 6 * DAY)
    assert afterwards(campaign).replied == 2


def test_what_comes_after_a_week_is_something_else(cast: Cast, campaign: Campaign) -> None:
    answer(cast, 0, 8 * DAY)
    pay(cast, cast.fans[0], 8 * DAY)
    assert afterwards(campaign) == NOTHING


def test_payments_are_summed_and_payers_counted(cast: Cast, campaign: Campaign) -> None:
    tom, uma, vic = cast.fans[:3]
    for fan, after, kind in ((tom, HOUR, Kind.MESSAGE), (tom, DAY, Kind.TIP), (uma, 2 * DAY, Kind.POST)):
        pay(cast, fan, after, kind=kind)
    for fan, after, kind in ((uma, HOUR, Kind.SUBSCRIPTION), (tom, -HOUR, Kind.MESSAGE), (vic, HOUR, Kind.MESSAGE)):
        pay(cast, fan, after, kind=kind)
    assert afterwards(campaign) == Afterwards(0, 2, 3000, 2400)
