"""What was received: by day, by hour of the week, by account. Money in cents."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from app.analytics import sources, zones
from app.analytics.buckets import Bucket, Interval, begin, buckets
from app.analytics.scope import Period, Scope
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Money:
    """A sum of payments: gross is what fans paid, net what creators keep."""

    gross: int = 0
    net: int = 0
    payments: int = 0

    def __add__(self, other: "Money") -> "Money":
        """Both together."""
        return Money(self.gross + other.gross, self.net + other.net, self.payments + other.payments)


@dataclass(frozen=True, slots=True)
class Point:
    """A bucket of the trend, with what came in as many days earlier, one period ago."""

    bucket: Bucket
    money: Money
    before: Money


@dataclass(frozen=True, slots=True)
class Daily:
    """What each day of a period, and of the one before, brought; by type where anything came in."""

    period: Period
    days: dict[date, dict[str, Money]]

    def total(self, period: Period) -> Money:
        """The sum over a period."""
        return sum((money for kinds in self._kinds(period) for money in kinds.values()), Money())

    def by_type(self, period: Period) -> dict[str, Money]:
        """The sum over a period, by type."""
        found: defaultdict[str, Money] = defaultdict(Money)
        for kinds in self._kinds(period):
            for kind, money in kinds.items():
                found[kind] += money
        return dict(found)

    def trend(self, interval: Interval) -> list[Point]:
        """The period in buckets, without gaps."""
        now, before = defaultdict[date, Money](Money), defaultdict[date, Money](Money)
        shift = zones.DAY * self.period.days
        for day, kinds in self.days.items():
            earlier = day < self.period.first
            sums = before if earlier else now
            sums[begin(interval, day + shift if earlier else day)] += sum(kinds.values(), Money())
        return [
            Point(bucket, now[begin(interval, bucket.first)], before[begin(interval, bucket.first)])
            for bucket in buckets(interval, self.period)
        ]

    def _kinds(self, period: Period) -> list[dict[str, Money]]:
        return [kinds for day, kinds in self.days.items() if period.first <= day <= period.last]


def daily(scope: Scope, period: Period) -> Daily:
    """Every day of the period and of the one before that brought something."""
    rows = sources.revenue(scope, Period(period.previous.first, period.last))
    day = (rows.c.slot // zones.PER_DAY).label("day")
    query = select(day, rows.c.type, *_sums(rows)).group_by(day, rows.c.type).order_by(day)
    days: dict[date, dict[str, Money]] = {}
    for number, kind, *money in db.session.execute(query):
        days.setdefault(zones.day_of(number), {})[kind] = Money(*map(int, money))
    return Daily(period, days)


def by_hour(scope: Scope, period: Period) -> dict[tuple[int, int], Money]:
    """(weekday from Monday = 0, hour) → what it brought; hours without payments are left out."""
    rows = sources.revenue(scope, period)
    hour = ((rows.c.slot // zones.PER_HOUR + 24 * zones.MONDAY) % (7 * 24)).label("hour")
    query = select(hour, *_sums(rows)).group_by(hour)
    return {divmod(number, 24): Money(*map(int, money)) for number, *money in db.session.execute(query)}


def by_account(scope: Scope, period: Period) -> dict[int, Money]:
    """Account id → what it received; accounts without payments are left out."""
    rows = sources.revenue(scope, period)
    query = select(rows.c.account_id, *_sums(rows)).group_by(rows.c.account_id)
    return {account_id: Money(*map(int, money)) for account_id, *money in db.session.execute(query)}


def _sums(rows: sources.Rows) -> tuple[sources.Sum, sources.Sum, sources.Sum]:
    return func.sum(rows.c.gross), func.sum(rows.c.net), func.sum(rows.c.payments)
