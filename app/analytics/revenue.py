"""What was received: over time, by type, by hour of the week, by account. Money in cents."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from app.analytics import sources, zones
from app.analytics.buckets import Bucket, Interval, buckets
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
class Received:
    """What each bucket of a period brought, and the same days one period earlier; by type where anything came in."""

    points: list[Point]
    by_type: dict[str, Money]

    @property
    def total(self) -> Money:
        """The sum over the period."""
        return sum((point.money for point in self.points), Money())

    @property
    def total_before(self) -> Money:
        """The sum over the period before."""
        return sum((point.before for point in self.points), Money())


def received(scope: Scope, period: Period, interval: Interval) -> Received:
    """What came in, in buckets without gaps."""
    found = buckets(interval, period)
    back = zones.DAY * period.days
    periods = [Period(one.first, one.last) for one in found]
    rows = sources.revenue(scope, periods + [Period(one.first - back, one.last - back) for one in periods])
    query = select(rows.c.label, rows.c.type, *_sums(rows)).group_by(rows.c.label, rows.c.type)
    sums, by_type = defaultdict[int, Money](Money), defaultdict[str, Money](Money)
    for label, kind, *money in db.session.execute(query):
        sums[label] += Money(*map(int, money))
        if label < len(found):
            by_type[kind] += Money(*map(int, money))
    points = [Point(bucket, sums[place], sums[place + len(found)]) for place, bucket in enumerate(found)]
    return Received(points, dict(by_type))


def by_hour(scope: Scope, period: Period) -> dict[tuple[int, int], Money]:
    """(weekday from Monday = 0, hour) → what it brought; hours without payments are left out."""
    rows = sources.hours(scope, period)
    query = select(rows.c.hour, *_sums(rows)).group_by(rows.c.hour)
    return {divmod(hour, 24): Money(*map(int, money)) for hour, *money in db.session.execute(query)}


def by_account(scope: Scope, period: Period) -> dict[int, tuple[Money, Money]]:
    """Account id → what it received in the period, and in the one before; accounts without payments are left out."""
    rows = sources.revenue(scope, [period, period.previous])
    query = select(rows.c.account_id, rows.c.label, *_sums(rows)).group_by(rows.c.account_id, rows.c.label)
    found: defaultdict[int, list[Money]] = defaultdict(lambda: [Money(), Money()])
    for account_id, label, *money in db.session.execute(query):
        found[account_id][label] = Money(*map(int, money))
    return {account_id: (now, before) for account_id, (now, before) in found.items()}


def _sums(rows: sources.Rows) -> tuple[sources.Sum, sources.Sum, sources.Sum]:
    return func.sum(rows.c.gross), func.sum(rows.c.net), func.sum(rows.c.payments)
