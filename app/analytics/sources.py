"""The rows that reports are added up from, as subqueries: roll-ups where they can answer, else the transactions."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Function,
    Integer,
    Select,
    Subquery,
    case,
    cast,
    column,
    func,
    literal,
    select,
    text,
    true,
    union_all,
    values,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.analytics import covers, zones
from app.analytics.covers import Piece, Stretch
from app.analytics.models import FanDay, FanMonth, Revenue, RevenueDay, RevenueHour, RevenueMonth, Sums
from app.analytics.scope import Group, Period, Scope, Span
from app.analytics.zones import Offsets
from app.db import UtcDateTime
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged

Rows = FromClause
Sum = Function[int]
Query = Select[*tuple[Any, ...]]
Unit = InstrumentedAttribute[int]
NOBODY = Group((), zones.GREENWICH, None)
NEVER = Piece(1, 0, 0)
"""What is asked where there is nothing to ask: a day that a zone has skipped."""


def plan_quickly() -> None:
    """Have PostgreSQL not compile the queries of this transaction: that takes it longer than to answer them."""
    if _on_postgresql():
        db.session.execute(text("SET LOCAL jit = off"))


def revenue(scope: Scope, periods: Sequence[Period]) -> Subquery:
    """Rows of `account_id`, `label` (which of the periods), `type`, `gross`, `net`, `payments`."""
    found: list[Query] = []
    for group in scope.groups():
        stretches = group.stretches(periods)
        if scope.tag:
            found += _paid(scope, group, stretches, Transaction.type)
            continue
        cover = covers.cover(group.counted, stretches)
        found += _rolled_up(scope, group, RevenueMonth.month, cover.months, RevenueMonth.type)
        found += _rolled_up(scope, group, RevenueDay.day, cover.days, RevenueDay.type)
        found += _rolled_up(scope, group, Revenue.quarter, cover.quarters, Revenue.type)
    return union_all(*found or _rolled_up(scope, NOBODY, Revenue.quarter, [NEVER], Revenue.type)).subquery()


def hours(scope: Scope, period: Period) -> Subquery:
    """Rows of `hour` (of the week, on the clock of the report), `gross`, `net`, `payments`."""
    found: list[Query] = []
    for group in scope.groups():
        [stretch] = group.stretches([period])
        if scope.tag:
            found.append(_hours_of_tagged(scope, group, stretch))
            continue
        months, rest = covers.hours(group.counted, group.zone, stretch)
        found += [_hours_of_quarters(group, one) for one in rest]
        if months:
            found.append(_hours_of_months(group, months))
    return union_all(*found or [_hours_of_quarters(NOBODY, Stretch(0, 0, 0))]).subquery()


def fans(scope: Scope, periods: Sequence[Period]) -> Subquery:
    """Rows of `label` (which of the periods), `fan_id`, `gross`, `net`, `payments`; a few of a fan."""
    return _fans([one for group in scope.groups() for one in _of_fans(scope, group, group.stretches(periods))])


def fans_of(scope: Scope, group: Group, stretches: list[Stretch]) -> Subquery:
    """The same of one group of the scope."""
    return _fans(_of_fans(scope, group, stretches))


def _fans(found: list[Query]) -> Subquery:
    found = found or _rolled_up(Scope(()), NOBODY, FanDay.day, [NEVER], FanDay.fan_id)
    return union_all(*(_by_fan(query.subquery()) for query in found)).subquery()


def _by_fan(rows: Subquery) -> Query:
    """Summed up before they are put together: that is less to carry."""
    sums = (func.sum(one).label(one.name) for one in (rows.c.gross, rows.c.net, rows.c.payments))
    return select(rows.c.label, rows.c.fan_id, *sums).group_by(rows.c.label, rows.c.fan_id)


def _of_fans(scope: Scope, group: Group, stretches: list[Stretch]) -> list[Query]:
    cover = covers.cover(group.counted, stretches)
    rest = [Stretch(first, last + 1, label) for first, last, label in cover.quarters]
    return [
        *_rolled_up(scope, group, FanMonth.month, cover.months, FanMonth.fan_id),
        *_rolled_up(scope, group, FanDay.day, cover.days, FanDay.fan_id),
        *_paid(scope, group, rest, Transaction.fan_id),
    ]


def paid_in(group: Group, stretch: Stretch) -> Iterator[Select[int]]:
    """Queries of which one finds something when the fan of the query around them paid in a stretch."""
    cover = covers.cover(group.counted, [stretch])
    for table, unit, pieces in ((FanMonth, FanMonth.month, cover.months), (FanDay, FanDay.day, cover.days)):
        for first, last, _ in pieces:
            yield select(literal(1)).where(table.fan_id == Fan.id, unit.between(first, last)).correlate(Fan)
    for first, last, _ in cover.quarters:
        ends = (zones.moment_of(first), zones.moment_of(last + 1))
        during = (Transaction.received_at >= ends[0], Transaction.received_at < ends[1])
        yield select(literal(1)).where(Transaction.fan_id == Fan.id, *during).correlate(Fan)


def quarter() -> ColumnElement[int]:
    """The UTC quarter hour that a transaction was received in."""
    if _on_postgresql():
        seconds = func.floor(func.extract("epoch", Transaction.received_at) / zones.QUARTER_SECONDS)
        return cast(seconds, Integer)
    # Without its fraction, which SQLite would round up into the next second.
    whole = func.strftime("%s", func.substr(Transaction.received_at, 1, 19))
    return cast(whole, Integer) // zones.QUARTER_SECONDS


def local(utc: ColumnElement[int] | Unit, offsets: Offsets) -> ColumnElement[int]:
    """A UTC quarter hour on the clock of a time zone."""
    *earlier, (_, last) = offsets
    untils = [since for since, _ in offsets[1:]]
    if not earlier:
        return utc + literal(last)
    return utc + case(*((utc < until, ahead) for until, (_, ahead) in zip(untils, earlier, strict=True)), else_=last)


def hour(slot: ColumnElement[int]) -> ColumnElement[int]:
    """The hour of the week that a quarter hour of the clock belongs to, from Monday's first = 0."""
    return (slot // zones.PER_HOUR + 24 * zones.MONDAY) % zones.HOURS


def during(span: Span) -> list[ColumnElement[bool]]:
    """Which transactions were received in a span."""
    return [
        Transaction.account_id.in_(span.account_ids),
        Transaction.received_at >= zones.moment_of(span.start),
        Transaction.received_at < zones.moment_of(span.end),
    ]


def _rolled_up(
    scope: Scope, group: Group, unit: Unit, pieces: list[Piece], by: InstrumentedAttribute[Any]
) -> list[Query]:
    if not pieces:
        return []
    table: Any = unit.class_
    labels = _table(pieces)
    label = labels.c.label + labels.c.step * (unit - labels.c.first)
    query = select(table.account_id, label.label("label"), by, *_sums(table))
    query = query.where(table.account_id.in_(group.account_ids), unit.between(labels.c.first, labels.c.last))
    return [_each(labels, query.join(Fan, Fan.id == table.fan_id).where(tagged(scope.tag)) if scope.tag else query)]


def _paid(scope: Scope, group: Group, stretches: list[Stretch], by: InstrumentedAttribute[Any]) -> list[Query]:
    """Transactions themselves, of fans who are known."""
    if not stretches:
        return []
    moments = [(zones.moment_of(start), zones.moment_of(end), label) for start, end, label in stretches]
    shape = column("start", UtcDateTime), column("end", UtcDateTime), column("label", Integer)
    labels = values(*shape).data(moments).cte()
    at = Transaction.received_at
    query = select(Transaction.account_id, labels.c.label, by, *_amounts()).where(
        Transaction.account_id.in_(group.account_ids),
        Transaction.fan_id.is_not(None),
        at >= labels.c.start,
        at < labels.c.end,
    )
    return [
        _each(labels, query.join(Fan, Fan.id == Transaction.fan_id).where(tagged(scope.tag)) if scope.tag else query)
    ]


def _each(labels: CTE, query: Query) -> Query:
    """What a query that names a piece's ends finds for each of the pieces."""
    if not _on_postgresql():
        return query
    # Left to itself it would read all of a table and compare each row with every piece.
    found = query.correlate(labels).offset(0).lateral()
    return select(*found.c).select_from(labels.join(found, true()))


def _on_postgresql() -> bool:
    return db.session.get_bind().dialect.name == "postgresql"


def _hours_of_months(group: Group, months: list[Piece]) -> Query:
    pieces = _table(months)
    moved = (RevenueHour.hour + pieces.c.label + zones.HOURS) % zones.HOURS
    query = select(moved.label("hour"), *_sums(RevenueHour)).where(
        RevenueHour.account_id.in_(group.account_ids), RevenueHour.month.between(pieces.c.first, pieces.c.last)
    )
    return _each(pieces, query)


def _hours_of_quarters(group: Group, stretch: Stretch) -> Query:
    slot = local(Revenue.quarter, zones.offsets(group.zone, stretch.start, stretch.end))
    during = (Revenue.quarter >= stretch.start, Revenue.quarter < stretch.end)
    query = select(hour(slot).label("hour"), *_sums(Revenue))
    return query.where(Revenue.account_id.in_(group.account_ids), *during)


def _hours_of_tagged(scope: Scope, group: Group, stretch: Stretch) -> Query:
    span = Span(group.account_ids, group.zone, stretch.start, stretch.end)
    query = select(hour(local(quarter(), span.offsets)).label("hour"), *_amounts())
    return query.join(Fan, Fan.id == Transaction.fan_id).where(*during(span), tagged(scope.tag))


def _table(pieces: Iterable[Piece]) -> CTE:
    """A row for each piece; single units in a row with labels in a row are one, whose labels go on by `step`."""
    found: list[list[int]] = []
    for first, last, label in pieces:
        run = found[-1] if found and first == last else None
        if run and run[1] + 1 == first and run[2] + (first - run[0]) == label and (run[3] or run[0] == run[1]):
            run[1:] = [last, run[2], 1]
        else:
            found.append([first, last, label, 0])
    shape = (column(name, Integer) for name in ("first", "last", "label", "step"))
    return values(*shape).data([tuple(run) for run in found]).cte()


def _sums(table: type[Sums]) -> tuple[ColumnElement[int], ...]:
    return table.gross_cents.label("gross"), table.net_cents.label("net"), table.payments.label("payments")


def _amounts() -> tuple[ColumnElement[int], ...]:
    return Transaction.gross_cents.label("gross"), Transaction.net_cents.label("net"), literal(1).label("payments")
