"""Figures against sums made by hand, in the days of the account's time zone."""

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.accounts.models import Account, User
from app.analytics import audience, cohorts, payers, queries, revenue, service
from app.analytics.buckets import Interval
from app.analytics.revenue import Money
from app.analytics.scope import Period, Scope
from app.conversations.models import Conversation
from app.earnings.models import Kind
from app.errors import Invalid, NotFound
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status
from app.messages.service import new_public_id
from tests.analytics.books import at, pay
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
Write = Callable[..., Message]


@pytest.fixture
def paris(cast: Cast) -> Scope:
    """Ada's account on Paris' clocks, with payments around the ends of days, and of the night that lost an hour."""
    cast.account.time_zone = "Europe/Paris"
    tom, uma, _, _ = cast.fans
    pay(cast.account, "2026-02-28 22:59", 1, tom)
    pay(cast.account, "2026-02-28 23:00", 1000, tom, Kind.SUBSCRIPTION)
    pay(cast.account, "2026-03-28 23:30", 200, uma)
    pay(cast.account, "2026-03-29 00:59", 30, uma)
    pay(cast.account, "2026-03-29 01:00", 400, tom, Kind.MESSAGE)
    pay(cast.account, "2026-03-31 21:59", 5000, None, Kind.POST)
    pay(cast.account, "2026-03-31 22:00", 7, uma)
    service.roll_up()
    return queries.scope(cast.ada)


def test_days_are_those_of_the_accounts_time_zone(paris: Scope) -> None:
    found = revenue.received(paris, MARCH, Interval.DAY)
    assert {point.bucket.first.day: point.money.gross for point in found.points if point.money.payments} == {
        1: 1000,
        29: 630,
        31: 5000,
    }
    assert [point.bucket.first.day for point in found.points if point.before.payments] == [31]
    assert (found.total, found.total_before) == (Money(6630, 5304, 5), Money(1, 0, 1))
    assert found.by_type == {
        "subscription": Money(1000, 800, 1),
        "tip": Money(230, 184, 2),
        "message": Money(400, 320, 1),
        "post": Money(5000, 4000, 1),
    }


def test_another_time_zone_moves_what_happened_at_the_ends_of_days(paris: Scope, cast: Cast) -> None:
    new_york = queries.scope(cast.ada, zone=ZoneInfo("America/New_York"))
    assert revenue.received(new_york, MARCH, Interval.DAY).total.gross == 5637
    assert payers.by_account(new_york, MARCH, MARCH.previous) == {cast.account.id: [2, 1]}
    assert [(fan.name, fan.money.gross) for fan in audience.top(new_york, MARCH, 10)] == [
        ("Tom Tester", 400),
        ("Uma Umbrella", 237),
    ]


def test_hours_are_those_that_the_clock_on_the_wall_showed(paris: Scope) -> None:
    found = revenue.by_hour(paris, MARCH)
    assert {hour: money.gross for hour, money in found.items()} == {
        (6, 0): 1200,
        (6, 1): 30,
        (6, 3): 400,
        (1, 23): 5000,
    }


def test_a_trend_has_no_gaps_and_adds_up(paris: Scope) -> None:
    for interval, size in ((Interval.DAY, 31), (Interval.WEEK, 6), (Interval.MONTH, 1)):
        found = revenue.received(paris, MARCH, interval)
        assert len(found.points) == size
        assert (found.total, found.total_before) == (Money(6630, 5304, 5), Money(1, 0, 1))
    weeks = revenue.received(paris, MARCH, Interval.WEEK).points
    assert [(str(point.bucket.first), str(point.bucket.last)) for point in (weeks[0], weeks[1], weeks[-1])] == [
        ("2026-03-01", "2026-03-01"),
        ("2026-03-02", "2026-03-08"),
        ("2026-03-30", "2026-03-31"),
    ]


def test_active_fans_are_different_people(paris: Scope, cast: Cast) -> None:
    assert payers.by_account(paris, MARCH, MARCH.previous) == {cast.account.id: [2, 1]}
    assert sum(payers.over_time(paris, MARCH, Interval.DAY)) == 3
    assert payers.over_time(paris, MARCH, Interval.WEEK) == [1, 0, 0, 0, 2, 0]
    assert payers.over_time(paris, MARCH, Interval.MONTH) == [2]


def test_the_best_fans_come_first_and_a_tag_narrows_everything(paris: Scope, cast: Cast) -> None:
    cast.fans[1].tags = ["vip", 'say "hi"']
    db.session.commit()
    assert [(fan.name, fan.money) for fan in audience.top(paris, MARCH, 1)] == [("Tom Tester", Money(1400, 1120, 2))]
    for tag, gross in (("vip", 230), ('say "hi"', 230), ("v", 0), ("100%", 0)):
        narrow = queries.scope(cast.ada, tag=tag)
        assert revenue.received(narrow, MARCH, Interval.WEEK).total.gross == gross
        assert sum(fan.money.gross for fan in audience.top(narrow, MARCH, 10)) == gross


def test_cohorts_are_of_the_first_payment_ever(cast: Cast) -> None:
    tom, uma, vic, nora = cast.fans
    for day in ("2024-01-05", "2026-01-05"):
        pay(cast.account, f"{day} 12:00", 100, nora)
    for fan, days in ((tom, ("01-05", "02-05", "03-05")), (uma, ("01-31", "03-01")), (vic, ("03-31", "03-31"))):
        for day in days:
            pay(cast.account, f"2026-{day} 12:00", 100, fan)
    service.roll_up()
    found = cohorts.cohorts(queries.scope(cast.ada), date(2026, 3, 31))
    assert [(str(one.month), one.size, one.stayed) for one in found if one.size] == [
        ("2026-01-01", 2, [2, 1, 2]),
        ("2026-03-01", 1, [1]),
    ]
    assert [one.month for one in (found[0], found[-1])] == [date(2025, 4, 1), date(2026, 3, 1)]


def test_the_audience_grows_and_its_value_is_what_was_spent_until_then(cast: Cast) -> None:
    for fan, joined in zip(cast.fans, ("2026-01-10", "2026-02-10", "2026-03-10", "2026-04-10"), strict=True):
        fan.created_at, fan.value_cents = at(f"{joined} 12:00"), 0
    cast.fans[0].value_cents = 10_000
    db.session.commit()
    pay(cast.account, "2026-02-20 12:00", 300, cast.fans[1])
    pay(cast.account, "2026-03-20 12:00", 600, cast.fans[2])
    pay(cast.account, "2026-04-20 12:00", 900, cast.fans[2])
    service.roll_up()
    earlier, before, end = audience.growth(queries.scope(cast.ada), MARCH)
    assert (earlier, [(one.fans, one.spent) for one in (before, end)]) == (1, [(2, 10_300), (3, 10_900)])
    assert end.lifetime_value == 3633


def test_who_was_taken_out_counts_until_then(cast: Cast) -> None:
    for fan in cast.fans:
        fan.created_at = at("2026-01-10 12:00")
    cast.fans[0].removed_at, cast.fans[1].removed_at = at("2026-03-20 12:00"), at("2026-02-20 12:00")
    db.session.commit()
    scope = queries.scope(cast.ada)
    earlier, before, end = audience.growth(scope, MARCH)
    assert (earlier, before.fans, end.fans) == (4, 3, 2)
    assert audience.fans_by_account(scope)[cast.account.id] == 2


def test_messages_are_counted_and_answers_timed(cast: Cast, say: Write) -> None:
    first, second, third = cast.conversations[:3]
    say(first, "2026-03-02 10:00", "in")
    say(first, "2026-03-02 10:05", "in")
    say(first, "2026-03-02 10:10", "out")
    say(first, "2026-03-02 10:30", "out")
    say(first, "2026-03-03 10:00", "in")
    say(first, "2026-03-03 10:30", "out")
    say(second, "2026-03-04 10:00", "out")
    say(second, "2026-03-04 12:00", "in")
    say(third, "2026-03-04 12:00", "out", Status.FAILED)
    say(third, "2026-02-04 12:00", "out", Status.UNKNOWN)
    talk = queries.summary(queries.scope(cast.ada), MARCH).current.talk
    assert (talk.sent, talk.lost, talk.delivered) == (4, 1, 0.8)
    assert talk.waits == [timedelta(minutes=10), timedelta(minutes=30)]
    assert talk.median_wait == timedelta(minutes=20)


@pytest.fixture
def say() -> Write:
    """`say(conversation, "2026-03-02 10:00", "out")`: somebody wrote then."""

    def add(conversation: Conversation, text: str, direction: str, status: Status | None = None) -> Message:
        moment = at(text)
        usual = Status.RECEIVED if direction == "in" else Status.SENT
        message = Message(
            public_id=new_public_id(),
            account_id=conversation.account_id,
            conversation_id=conversation.id,
            fan_id=conversation.fan_id,
            direction=direction,
            status=status or usual,
            text="Hi",
            created_at=moment,
            due_at=moment,
            sent_at=moment if direction == "out" and status is None else None,
            failed_at=moment if status is Status.FAILED else None,
        )
        db.session.add(message)
        conversation.last_message_at = moment
        db.session.commit()
        return message

    return add


def test_everybody_sees_their_own_accounts(cast: Cast) -> None:
    for account, cents in ((cast.account, 100), (cast.beas_account, 20), (cast.eves_account, 3)):
        pay(account, "2026-03-05 12:00", cents)
    service.roll_up()
    seen: dict[str, dict[int, int]] = {}
    for viewer in (cast.ada, cast.max, cast.bea, cast.eve, cast.olga):
        wanted = queries.scope(viewer)
        money = revenue.by_account(wanted, MARCH)
        seen[viewer.name.split()[0]] = {account_id: one.gross for account_id, (one, _) in money.items()}
        assert queries.summary(wanted, MARCH).current.money.gross == sum(one.gross for one, _ in money.values())
    ada, bea, eve = cast.account.id, cast.beas_account.id, cast.eves_account.id
    assert seen == {
        "Ada": {ada: 100},
        "Max": {ada: 100, bea: 20},
        "Bea": {bea: 20},
        "Eve": {eve: 3},
        "Olga": {},
    }
    for stranger in (cast.max, cast.ada, cast.olga):
        with pytest.raises(NotFound):
            queries.scope(stranger, [eve])
        with pytest.raises(NotFound):
            queries.scope(stranger, [ada, eve])


def test_accounts_of_several_time_zones_keep_their_own_days(cast: Cast, max: User) -> None:
    cast.account.time_zone, cast.beas_account.time_zone = "Pacific/Kiritimati", "Pacific/Pago_Pago"
    pay(cast.account, "2026-02-28 10:00", 100, cast.fans[0])
    pay(cast.beas_account, "2026-04-01 10:59", 20)
    service.roll_up()
    both = queries.scope(max)
    assert both.zone_names == ["Pacific/Kiritimati", "Pacific/Pago_Pago"]
    points = revenue.received(both, MARCH, Interval.DAY).points
    assert {str(point.bucket.first): point.money.gross for point in points if point.money.payments} == {
        "2026-03-01": 100,
        "2026-03-31": 20,
    }
    assert queries.summary(both, MARCH).current.active_fans == 1


def test_a_period_is_thirty_days_or_what_was_asked_for(account: Account, cast: Cast) -> None:
    wanted = queries.scope(cast.ada)
    today = queries.today(wanted)
    assert queries.period(wanted) == Period(today - timedelta(days=29), today)
    assert queries.period(wanted, last=MARCH.last) == Period(date(2026, 3, 2), MARCH.last)
    assert queries.period(wanted, MARCH.first).last == today
    for first, last in (
        (MARCH.last, MARCH.first),
        (date(1, 1, 1), None),
        (None, date(9999, 12, 31)),
        (None, date(1, 1, 2)),
        (date(2001, 1, 1), date(2099, 12, 31)),
    ):
        with pytest.raises(Invalid):
            queries.period(wanted, first, last)


def test_figures_say_until_when_they_are_complete(cast: Cast, fan: Fan) -> None:
    wanted = queries.scope(cast.ada)
    before = queries.as_of(wanted)
    pay(cast.account, "2026-03-05 12:00", 100, fan)
    lagging = queries.as_of(wanted)
    assert before <= lagging == queries.as_of(wanted)
    pay(cast.eves_account, "2026-03-05 12:00", 100)
    service.roll_up()
    assert queries.as_of(wanted) > lagging


def test_a_summary_takes_as_many_queries_for_many_accounts_as_for_one(cast: Cast, max: User) -> None:
    for viewer in (cast.ada, max):
        with count_queries() as statements:
            queries.summary(queries.scope(viewer), MARCH)
        assert len(statements) <= 15
