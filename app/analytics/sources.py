"""The rows that reports are added up from, as subqueries: roll-ups where they can answer, else the transactions."""

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Function,
    Integer,
    Select,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.analytics import zones
from app.analytics.models import FanDay, Revenue
from app.analytics.scope import Period, Scope, Span
from app.analytics.zones import Offsets
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged

Rows = FromClause
Sum = Function[int]


def revenue(scope: Scope, period: Period) -> Subquery:
    """Rows of `account_id`, `slot` (a quarter hour of the local clock), `type`, `gross`, `net`, `payments`."""
    source = _of_tagged if scope.tag else _of_quarters
    return union_all(*(source(scope, span) for span in scope.spans(period))).subquery()


def fan_days(scope: Scope, period: Period) -> Subquery:
    """Rows of `account_id`, `fan_id`, `day` (its number), `gross`, `net`, `payments`; a fan may have several a day."""
    if scope.own_days:
        return _of_fan_days(scope, period).subquery()
    return union_all(*(_of_fans(scope, span) for span in scope.spans(period))).subquery()


def quarter() -> ColumnElement[int]:
    """The UTC quarter hour that a transaction was received in."""
    if db.session.get_bind().dialect.name == "postgresql":
        seconds = func.floor(func.extract("epoch", Transaction.received_at) / zones.QUARTER_SECONDS)
        return cast(seconds, Integer)
    # Without its fraction, which SQLite would round up into the next second.
    whole = func.strftime("%s", func.substr(Transaction.received_at, 1, 19))
    return cast(whole, Integer) // zones.QUARTER_SECONDS


def local(utc: ColumnElement[int] | InstrumentedAttribute[int], offsets: Offsets) -> ColumnElement[int]:
    """A UTC quarter hour on the clock of a time zone."""
    *earlier, (_, last) = offsets
    untils = [since for since, _ in offsets[1:]]
    if not earlier:
        return utc + literal(last)
    return utc + case(*((utc < until, ahead) for until, (_, ahead) in zip(untils, earlier, strict=True)), else_=last)


def during(span: Span) -> list[ColumnElement[bool]]:
    """Which transactions were received in a span."""
    return [
        Transaction.account_id.in_(span.account_ids),
        Transaction.received_at >= zones.moment_of(span.start),
        Transaction.received_at < zones.moment_of(span.end),
    ]


def _of_quarters(_scope: Scope, span: Span) -> Select[int, int, str, int, int, int]:
    return select(
        Revenue.account_id,
        local(Revenue.quarter, span.offsets).label("slot"),
        Revenue.type,
        Revenue.gross_cents.label("gross"),
        Revenue.net_cents.label("net"),
        Revenue.payments,
    ).where(Revenue.account_id.in_(span.account_ids), Revenue.quarter >= span.start, Revenue.quarter < span.end)


def _of_tagged(scope: Scope, span: Span) -> Select[int, int, str, int, int, int]:
    return (
        select(
            Transaction.account_id,
            local(quarter(), span.offsets).label("slot"),
            Transaction.type,
            Transaction.gross_cents.label("gross"),
            Transaction.net_cents.label("net"),
            literal(1).label("payments"),
        )
        .join(Fan, Fan.id == Transaction.fan_id)
        .where(*during(span), tagged(scope.tag))
    )


def _of_fan_days(scope: Scope, period: Period) -> Select[int, int, int, int, int, int]:
    query = select(
        FanDay.account_id,
        FanDay.fan_id,
        FanDay.day,
        FanDay.gross_cents.label("gross"),
        FanDay.net_cents.label("net"),
        FanDay.payments,
    ).where(
        FanDay.account_id.in_(scope.ids),
        FanDay.day.between(zones.day_number(period.first), zones.day_number(period.last)),
    )
    return query.join(Fan, Fan.id == FanDay.fan_id).where(tagged(scope.tag)) if scope.tag else query


def _of_fans(scope: Scope, span: Span) -> Select[int, int | None, int, int, int, int]:
    query = select(
        Transaction.account_id,
        Transaction.fan_id,
        (local(quarter(), span.offsets) // zones.PER_DAY).label("day"),
        Transaction.gross_cents.label("gross"),
        Transaction.net_cents.label("net"),
        literal(1).label("payments"),
    ).where(*during(span), Transaction.fan_id.is_not(None))
    return query.join(Fan, Fan.id == Transaction.fan_id).where(tagged(scope.tag)) if scope.tag else query
