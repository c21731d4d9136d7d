"""Counting the roll-ups of some days, each from what it is made of; whatever they held of these days is forgotten."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Label, delete, func, insert, select

from app.accounts.models import Account
from app.analytics import sources, zones
from app.analytics.buckets import Interval, after, begin, column
from app.analytics.models import FanDay, FanMonth, Revenue, RevenueDay, RevenueHour, RevenueMonth, Sums
from app.analytics.scope import Period, Span, zone_of
from app.earnings.models import Transaction
from app.extensions import db

ROLL_UPS = (Revenue, RevenueDay, RevenueMonth, RevenueHour, FanDay, FanMonth)
NAMES = ("gross_cents", "net_cents", "payments")


def forget(account: Account) -> None:
    """Empty all of the account's roll-ups."""
    for table in ROLL_UPS:
        db.session.execute(delete(table).where(table.account_id == account.id))


def count(account: Account, first: date, last: date) -> None:
    """The UTC days from `first` to `last`, and the days and months of the account's time zone that they touch."""
    start = zones.quarter_of(datetime(first.year, first.month, first.day, tzinfo=UTC))
    end = start + ((last - first).days + 1) * zones.PER_DAY
    _quarters(account, Span((account.id,), zones.GREENWICH, start, end))
    zone = zone_of(account)
    days = Period(zones.local_day(zone, zones.moment_of(start)), zones.local_day(zone, zones.moment_of(end - 1)))
    months = Period(
        begin(Interval.MONTH, days.first), after(Interval.MONTH, begin(Interval.MONTH, days.last)) - zones.DAY
    )
    _days(account, days)
    _fan_days(account, days)
    _hours(account, months)
    _months(account, months)


def _quarters(account: Account, span: Span) -> None:
    quarter = sources.quarter().label("quarter")
    counted = select(Transaction.account_id, quarter, Transaction.type, *_payments()).where(*sources.during(span))
    counted = counted.group_by(Transaction.account_id, quarter, Transaction.type)
    _replace(account, Revenue.quarter, span.start, span.end - 1, counted)


def _days(account: Account, days: Period) -> None:
    span = _span(account, days)
    day = (sources.local(Revenue.quarter, span.offsets) // zones.PER_DAY).label("day")
    counted = select(Revenue.account_id, day, Revenue.type, *_sums(Revenue)).where(*_quarters_of(span))
    _replace(account, RevenueDay.day, *_numbers(days), counted.group_by(Revenue.account_id, day, Revenue.type))


def _fan_days(account: Account, days: Period) -> None:
    span = _span(account, days)
    day = (sources.local(sources.quarter(), span.offsets) // zones.PER_DAY).label("day")
    counted = select(Transaction.account_id, day, Transaction.fan_id, *_payments())
    counted = counted.where(*sources.during(span), Transaction.fan_id.is_not(None))
    _replace(account, FanDay.day, *_numbers(days), counted.group_by(Transaction.account_id, day, Transaction.fan_id))


def _hours(account: Account, months: Period) -> None:
    span = _span(account, months)
    slot = sources.local(Revenue.quarter, span.offsets)
    month = column(Interval.MONTH, slot // zones.PER_DAY, months).label("month")
    hour = sources.hour(slot).label("hour")
    counted = select(Revenue.account_id, month, hour, *_sums(Revenue)).where(*_quarters_of(span))
    _replace(account, RevenueHour.month, *_numbers(months), counted.group_by(Revenue.account_id, month, hour))


def _months(account: Account, months: Period) -> None:
    """From the days, which are right by now."""
    numbers = _numbers(months)
    for day, unit, by in (
        (RevenueDay.day, RevenueMonth.month, RevenueDay.type),
        (FanDay.day, FanMonth.month, FanDay.fan_id),
    ):
        table: Any = day.class_
        month = column(Interval.MONTH, day.expression, months).label("month")
        counted = select(table.account_id, month, by, *_sums(table)).group_by(table.account_id, month, by)
        counted = counted.where(table.account_id == account.id, day.between(*numbers))
        _replace(account, unit, *numbers, counted)


def _replace(account: Account, unit: sources.Unit, first: int, last: int, counted: sources.Query) -> None:
    table = unit.class_
    db.session.execute(delete(table).where(table.account_id == account.id, unit.between(first, last)))
    db.session.execute(insert(table).from_select([one.name for one in counted.selected_columns], counted))


def _span(account: Account, days: Period) -> Span:
    zone = zone_of(account)
    return Span((account.id,), zone, zones.begins(zone, days.first), zones.begins(zone, days.last + zones.DAY))


def _numbers(days: Period) -> tuple[int, int]:
    return zones.day_number(days.first), zones.day_number(days.last)


def _quarters_of(span: Span) -> tuple[ColumnElement[bool], ...]:
    within = (Revenue.quarter >= span.start, Revenue.quarter < span.end)
    return Revenue.account_id.in_(span.account_ids), *within


def _sums(table: type[Sums]) -> tuple[Label[int], ...]:
    columns = (table.gross_cents, table.net_cents, table.payments)
    return tuple(func.sum(one).label(name) for one, name in zip(columns, NAMES, strict=True))


def _payments() -> tuple[Label[int], ...]:
    found = (func.sum(Transaction.gross_cents), func.sum(Transaction.net_cents), func.count())
    return tuple(one.label(name) for one, name in zip(found, NAMES, strict=True))
