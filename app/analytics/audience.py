"""Fans in figures: how many, who pays, who stays."""

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, String, cast, distinct, exists, func, select
from sqlalchemy.orm import aliased

from app.analytics import sources, zones
from app.analytics.buckets import Interval, begin, buckets, column
from app.analytics.models import FanMonth
from app.analytics.revenue import Money
from app.analytics.scope import Period, Scope, Span
from app.clock import now
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged

COHORTS = 12


@dataclass(frozen=True, slots=True)
class Audience:
    """Fans at the end of a period, and what they had ever spent until then, gross cents."""

    fans: int
    spent: int

    @property
    def lifetime_value(self) -> int | None:
        """What a fan has spent on average, in cents; None without fans."""
        return round(self.spent / self.fans) if self.fans else None


@dataclass(frozen=True, slots=True)
class TopFan:
    """A fan and what they paid in a period; `value_cents` is what they ever paid, gross."""

    fan_id: int
    account_id: int
    name: str
    handle: str | None
    value_cents: int
    money: Money


@dataclass(frozen=True, slots=True)
class Cohort:
    """Fans who paid for the first time in a month: how many, and how many of them paid in each month since."""

    month: date
    size: int
    stayed: list[int]


def growth(scope: Scope, period: Period) -> tuple[Audience, Audience, Audience]:
    """The audience before the previous period, before this one, and at its end."""
    found = [Audience(0, 0)] * 3
    for span, before in zip(scope.spans(period), scope.spans(period.previous), strict=True):
        ends = (before.start, span.start, span.end)
        counted = zip(found, _known(scope, span, ends), _spent_since(scope, span, ends), strict=True)
        found = [Audience(one.fans + fans, one.spent + value - since) for one, (fans, value), since in counted]
    return found[0], found[1], found[2]


def _known(scope: Scope, span: Span, ends: tuple[int, ...]) -> list[tuple[int, int]]:
    """At each end: how many fans there were, and what they have spent until today."""
    columns: list[ColumnElement[int]] = []
    for end in ends:
        there = _there(end)
        columns += [func.count().filter(there), func.coalesce(func.sum(Fan.value_cents).filter(there), 0)]
    row = db.session.execute(select(*columns).where(*_fans(scope, span.account_ids))).one()
    return [(int(row[place]), int(row[place + 1])) for place in range(0, len(row), 2)]


def _there(end: int) -> ColumnElement[bool]:
    """Whether a fan had come by then, and hadn't been taken out."""
    moment = zones.moment_of(end)
    return (Fan.created_at < moment) & (Fan.removed_at.is_(None) | (Fan.removed_at >= moment))


def _spent_since(scope: Scope, span: Span, ends: tuple[int, ...]) -> list[int]:
    """At each end: what the fans of then have spent since."""
    days = [zones.day_number(zones.local_day(span.zone, zones.moment_of(end))) for end in ends]
    own = Scope(tuple(account for account in scope.accounts if account.id in span.account_ids), scope.zone, scope.tag)
    since = Period(zones.day_of(days[0]), max(zones.day_of(days[-1]), zones.local_day(span.zone, now())))
    rows = sources.fan_days(own, since)
    columns = [
        func.coalesce(func.sum(rows.c.gross).filter(rows.c.day >= day, _there(end)), 0)
        for day, end in zip(days, ends, strict=True)
    ]
    return [
        int(value)
        for value in db.session.execute(select(*columns).select_from(rows).join(Fan, Fan.id == rows.c.fan_id)).one()
    ]


def payers(scope: Scope, period: Period) -> tuple[int, int]:
    """How many different fans paid in the period, and in the one before."""
    rows = sources.fan_days(scope, Period(period.previous.first, period.last))
    this = rows.c.day >= zones.day_number(period.first)
    counts = [func.count(distinct(rows.c.fan_id)).filter(which) for which in (this, ~this)]
    row = db.session.execute(select(*counts)).one()
    return row[0], row[1]


def payers_by_account(scope: Scope, period: Period) -> dict[int, int]:
    """Account id → how many different fans paid."""
    rows = sources.fan_days(scope, period)
    query = select(rows.c.account_id, func.count(distinct(rows.c.fan_id))).group_by(rows.c.account_id)
    return dict(db.session.execute(query).all())


def fans_by_account(scope: Scope) -> dict[int, int]:
    """Account id → how many fans it has now."""
    query = select(Fan.account_id, func.count()).where(*_fans(scope, scope.ids), Fan.removed_at.is_(None))
    query = query.group_by(Fan.account_id)
    return dict(db.session.execute(query).all())


def payers_over_time(scope: Scope, period: Period, interval: Interval) -> list[int]:
    """How many different fans paid in each bucket of the period."""
    rows = sources.fan_days(scope, period)
    bucket = column(interval, rows.c.day, period).label("bucket")
    query = select(bucket, func.count(distinct(rows.c.fan_id))).group_by(bucket)
    counts = dict(db.session.execute(query).all())
    starts = (begin(interval, bucket.first) for bucket in buckets(interval, period))
    return [counts.get(zones.day_number(start), 0) for start in starts]


def top(scope: Scope, period: Period, limit: int, net: bool = False) -> list[TopFan]:
    """Who paid the most in the period, by gross or net."""
    rows = sources.fan_days(scope, period)
    sums = (func.sum(rows.c.gross), func.sum(rows.c.net), func.sum(rows.c.payments))
    paid = select(
        rows.c.fan_id, *(sum_.label(name) for sum_, name in zip(sums, ("gross", "net", "payments"), strict=True))
    )
    paid = paid.group_by(rows.c.fan_id).order_by(sums[int(net)].desc(), rows.c.fan_id).limit(limit)
    best = paid.subquery()
    query = select(
        Fan.id, Fan.account_id, Fan.name, Fan.handle, Fan.value_cents, best.c.gross, best.c.net, best.c.payments
    )
    query = query.join(best, best.c.fan_id == Fan.id)
    query = query.order_by((best.c.net if net else best.c.gross).desc(), Fan.id)
    return [
        TopFan(row.id, row.account_id, row.name, row.handle, row.value_cents, Money(*map(int, row[5:])))
        for row in db.session.execute(query)
    ]


def cohorts(scope: Scope, last: date) -> list[Cohort]:
    """The twelve months up to that of `last`, in each account's own time zone: who began to pay, and who stayed."""
    period = Period(_months_before(last, COHORTS - 1), last)
    months = [bucket.first for bucket in buckets(Interval.MONTH, period)]
    paid = _paid_months(scope, period)
    first = _first_months(paid, period)
    query = select(first.c.month, paid.c.month, func.count()).join(paid, paid.c.fan_id == first.c.fan_id)
    counts = {
        (zones.day_of(began), zones.day_of(month)): count
        for began, month, count in db.session.execute(query.group_by(first.c.month, paid.c.month))
    }
    return [
        Cohort(month, counts.get((month, month), 0), [counts.get((month, later), 0) for later in months[place:]])
        for place, month in enumerate(months)
    ]


def _paid_months(scope: Scope, period: Period) -> sources.Rows:
    """Rows of `fan_id` and `month` in which they paid."""
    query = select(FanMonth.fan_id, FanMonth.month).where(
        FanMonth.account_id.in_(scope.ids),
        FanMonth.month.between(zones.day_number(period.first), zones.day_number(period.last)),
    )
    if scope.tag:
        query = query.join(Fan, Fan.id == FanMonth.fan_id).where(tagged(scope.tag))
    return query.cte("paid")


def _first_months(paid: sources.Rows, period: Period) -> sources.Rows:
    """Rows of `fan_id` and the `month` of their very first payment, when it is one of the period's."""
    earlier = aliased(FanMonth)
    paid_earlier = exists().where(earlier.fan_id == paid.c.fan_id, earlier.month < zones.day_number(period.first))
    query = select(paid.c.fan_id, func.min(paid.c.month).label("month"))
    return query.where(~paid_earlier).group_by(paid.c.fan_id).cte("first")


def tags(scope: Scope) -> list[str]:
    """The tags that fans of the accounts have, in order, at most 500."""
    query = select(cast(Fan.tags, String)).where(Fan.account_id.in_(scope.ids)).distinct().limit(5000)
    found = {tag for tags in db.session.scalars(query) for tag in json.loads(tags)}
    return sorted(found)[:500]


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _fans(scope: Scope, account_ids: tuple[int, ...]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Fan.account_id.in_(account_ids)]
    if scope.tag:
        found.append(tagged(scope.tag))
    return found
