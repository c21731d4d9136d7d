"""Reports are the sum of the transactions in whatever time zone they are asked for, and while an account moves."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.accounts.models import Account
from app.analytics import audience, counting, covers, payers, queries, revenue, service, zones
from app.analytics.buckets import Interval
from app.analytics.covers import Stretch
from app.analytics.scope import Period, Scope
from app.db import transaction
from app.earnings import service as earnings
from app.earnings.models import Kind, StaleDay, Transaction
from app.earnings.service import Payment
from app.extensions import db
from tests.support.cast import Cast

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
days = st.integers(0, 150).map(lambda number: NEW_YEAR.date() + timedelta(days=number))
zone_names = st.sampled_from(ZONES)


@given(zone_names, zone_names, days, st.integers(0, 120))
def test_pieces_are_the_whole_stretch_and_nothing_else(counted: str, shown: str, first: date, more: int) -> None:
    zone, report = ZoneInfo(counted), ZoneInfo(shown)
    stretch = Stretch(zones.begins(report, first), zones.begins(report, first + timedelta(days=more + 1)), 7)
    cover = covers.cover(zone, [stretch])
    spans = [(piece.first, piece.last + 1) for piece in cover.quarters]
    spans += [_of_days(zone, piece.first, piece.last + 1) for piece in cover.days]
    spans += [_of_days(zone, piece.first, zones.month_after(piece.last)) for piece in cover.months]
    _assert_whole(spans, stretch)
    assert counted != shown or not cover.quarters
    months, rest = covers.hours(zone, report, stretch)
    whole = [_of_days(zone, piece.first, zones.month_after(piece.last)) for piece in months]
    _assert_whole(whole + [(one.start, one.end) for one in rest], stretch)


def _of_days(zone: ZoneInfo, first: int, until: int) -> tuple[int, int]:
    return zones.begins(zone, zones.day_of(first)), zones.begins(zone, zones.day_of(until))


def _assert_whole(spans: list[tuple[int, int]], stretch: Stretch) -> None:
    """One after the other they lead from its start to its end."""
    at = stretch.start
    for start, end in sorted(spans):
        assert start == at < end
        at = end
    assert at == stretch.end


paid = st.tuples(st.sampled_from(Kind), st.integers(1, 9000), st.integers(0, 240 * 24 * 60), st.integers(0, 3))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(paid, max_size=25),
    counted=zone_names,
    account_zone=zone_names,
    zone=zone_names,
    first=days,
    length=st.integers(1, 90),
    interval=st.sampled_from(Interval),
)
def test_a_report_is_the_sum_of_the_transactions_in_any_zone(
    cast: Cast,
    told: list[tuple[Any, ...]],
    counted: str,
    account_zone: str,
    zone: str,
    first: date,
    length: int,
    interval: Interval,
) -> None:
    with transaction():
        for table in (Transaction, StaleDay, *counting.ROLL_UPS):
            db.session.execute(delete(table))
        db.session.execute(update(Account).where(Account.id == cast.account.id).values(time_zone=counted))
    payments = [
        Payment(f"p{n}", kind, cents, cents * 4 // 5, NEW_YEAR - timedelta(days=90) + timedelta(minutes=at),
                cast.fans[who].id if who < 3 else None)
        for n, (kind, cents, at, who) in enumerate(told)
    ]  # fmt: skip
    earnings.record(cast.account.id, payments)
    service.roll_up()
    with transaction():
        # It has moved, and nothing has been counted since.
        db.session.execute(update(Account).where(Account.id == cast.account.id).values(time_zone=account_zone))
    period = Period(first, first + timedelta(days=length - 1))
    for shown in (None, ZoneInfo(zone)):
        wanted = queries.scope(cast.ada, zone=shown)
        _assert_right(wanted, shown or ZoneInfo(account_zone), period, interval)


def _assert_right(wanted: Scope, zone: ZoneInfo, period: Period, interval: Interval) -> None:
    found = revenue.received(wanted, period, interval)
    by_day, by_hour, fans = Counter[date](), Counter[tuple[int, int]](), Counter[int]()
    fan_days = defaultdict[date, set[int]](set)
    for row in db.session.scalars(select(Transaction)):
        local = row.received_at.astimezone(zone)
        by_day[local.date()] += row.gross_cents
        if period.first <= local.date() <= period.last:
            by_hour[local.weekday(), local.hour] += row.gross_cents
        if row.fan_id is not None:
            fan_days[local.date()].add(row.fan_id)
            fans[row.fan_id] += row.gross_cents * (period.first <= local.date() <= period.last)
    back = timedelta(days=period.days)
    for point in found.points:
        each = _days(point.bucket.first, point.bucket.last)
        assert point.money.gross == sum(by_day[day] for day in each)
        assert point.before.gross == sum(by_day[day - back] for day in each)
    assert {hour: money.gross for hour, money in revenue.by_hour(wanted, period).items()} == by_hour
    assert {fan.fan_id: fan.money.gross for fan in audience.top(wanted, period, 10)} == +fans
    buckets = [point.bucket for point in found.points]
    paying = [len(set[int]().union(*(fan_days[day] for day in _days(one.first, one.last)))) for one in buckets]
    assert payers.over_time(wanted, period, interval) == paying
    active = set[int]().union(*(fan_days[day] for day in _days(period.first, period.last)))
    assert payers.by_account(wanted, period).get(wanted.ids[0], [0]) == [len(active)]


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
