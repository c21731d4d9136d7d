"""Keeping the roll-ups: what changed is counted again, from the transactions; everything may be repeated."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from sqlalchemy import delete, func, insert, select, update

from app.accounts.models import Account
from app.analytics import sources, zones
from app.analytics.buckets import Interval, after, begin, column
from app.analytics.models import FanDay, FanMonth, Revenue, RollUp
from app.analytics.scope import Period, Span, zone_of
from app.clock import now
from app.db import insert_unless_there, transaction
from app.earnings.models import StaleDay, Transaction
from app.extensions import db

AT_ONCE = 400
"""How many changes of one account are mended in one transaction."""


def roll_up() -> int:
    """Count again every day whose money changed, and accounts that moved to another time zone; how many accounts."""
    account_ids = accounts_to_roll_up()
    for account_id in account_ids:
        while _mend(account_id):
            pass
    return len(account_ids)


def rebuild() -> int:
    """Count everything again; how many accounts."""
    account_ids = list(db.session.scalars(select(Account.id).order_by(Account.id)))
    for account_id in account_ids:
        with transaction():
            _count_all(_hold(account_id))
    return len(account_ids)


def accounts_to_roll_up() -> list[int]:
    """Accounts whose roll-ups lag behind their transactions, or have days of another time zone."""
    stale = select(StaleDay.account_id)
    moved = select(RollUp.account_id).join(Account, Account.id == RollUp.account_id)
    moved = moved.where(RollUp.time_zone != Account.time_zone)
    return sorted(db.session.scalars(stale.union(moved)))


def _mend(account_id: int) -> bool:
    """Mend some of an account's days; whether more may be left."""
    with transaction():
        account = _hold(account_id)
        if _zone_counted_in(account) != account.time_zone:
            _count_all(account)
            return False
        query = select(StaleDay.id, StaleDay.day).where(StaleDay.account_id == account_id).order_by(StaleDay.day)
        stale = db.session.execute(query.limit(AT_ONCE)).all()
        for first, last in _runs(sorted({row.day for row in stale})):
            _count(account, first, last)
        db.session.execute(delete(StaleDay).where(StaleDay.id.in_([row.id for row in stale])))
        return len(stale) == AT_ONCE


def _hold(account_id: int) -> Account:
    """The account; nobody else counts it before this transaction ends, and what they counted is seen."""
    insert_unless_there(RollUp, [{"account_id": account_id, "time_zone": "", "rolled_up_at": now()}])
    db.session.execute(update(RollUp).where(RollUp.account_id == account_id).values(rolled_up_at=now()))
    return db.session.scalars(
        select(Account).where(Account.id == account_id).execution_options(populate_existing=True)
    ).one()


def _zone_counted_in(account: Account) -> str:
    return db.session.execute(select(RollUp.time_zone).where(RollUp.account_id == account.id)).scalar_one()


def _count_all(account: Account) -> None:
    """Everything again; changes that are known by now are counted with it."""
    db.session.execute(delete(StaleDay).where(StaleDay.account_id == account.id))
    for table in (Revenue, FanDay, FanMonth):
        db.session.execute(delete(table).where(table.account_id == account.id))
    ends = select(func.min(Transaction.received_at), func.max(Transaction.received_at))
    first, last = db.session.execute(ends.where(Transaction.account_id == account.id)).one()
    if first is not None:
        _count(account, first.date(), last.date())
    db.session.execute(update(RollUp).where(RollUp.account_id == account.id).values(time_zone=account.time_zone))


def _runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """Days in order → first and last of each unbroken run."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and found[-1][1] + zones.DAY >= day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _count(account: Account, first: date, last: date) -> None:
    """The UTC days from `first` to `last`, and the local days that they touch."""
    start = zones.quarter_of(datetime(first.year, first.month, first.day, tzinfo=UTC))
    _count_quarters(account, start, start + ((last - first).days + 1) * zones.PER_DAY)
    zone = zone_of(account)
    end = zones.moment_of(start + ((last - first).days + 1) * zones.PER_DAY - 1)
    touched = Period(zones.local_day(zone, zones.moment_of(start)), zones.local_day(zone, end))
    _count_fan_days(account, touched)
    _count_fan_months(account, touched)


def _count_quarters(account: Account, start: int, end: int) -> None:
    span = Span((account.id,), zones.GREENWICH, start, end)
    db.session.execute(
        delete(Revenue).where(Revenue.account_id == account.id, Revenue.quarter >= start, Revenue.quarter < end)
    )
    quarter = sources.quarter()
    counted = select(
        Transaction.account_id,
        quarter,
        Transaction.type,
        func.sum(Transaction.gross_cents),
        func.sum(Transaction.net_cents),
        func.count(),
    )
    counted = counted.where(*sources.during(span)).group_by(Transaction.account_id, quarter, Transaction.type)
    columns = ["account_id", "quarter", "type", "gross_cents", "net_cents", "payments"]
    db.session.execute(insert(Revenue).from_select(columns, counted))


def _count_fan_days(account: Account, days: Period) -> None:
    zone = zone_of(account)
    span = Span((account.id,), zone, zones.begins(zone, days.first), zones.begins(zone, days.last + zones.DAY))
    numbers = (zones.day_number(days.first), zones.day_number(days.last))
    db.session.execute(delete(FanDay).where(FanDay.account_id == account.id, FanDay.day.between(*numbers)))
    day = sources.local(sources.quarter(), span.offsets) // zones.PER_DAY
    counted = select(
        Transaction.account_id,
        day,
        Transaction.fan_id,
        func.sum(Transaction.gross_cents),
        func.sum(Transaction.net_cents),
        func.count(),
    )
    counted = counted.where(*sources.during(span), Transaction.fan_id.is_not(None))
    counted = counted.group_by(Transaction.account_id, day, Transaction.fan_id)
    columns = ["account_id", "day", "fan_id", "gross_cents", "net_cents", "payments"]
    db.session.execute(insert(FanDay).from_select(columns, counted))


def _count_fan_months(account: Account, days: Period) -> None:
    """The months that these days are of, from the fan days, which are right by now."""
    last = after(Interval.MONTH, begin(Interval.MONTH, days.last)) - zones.DAY
    months = Period(begin(Interval.MONTH, days.first), last)
    numbers = (zones.day_number(months.first), zones.day_number(months.last))
    db.session.execute(delete(FanMonth).where(FanMonth.account_id == account.id, FanMonth.month.between(*numbers)))
    month = column(Interval.MONTH, FanDay.day.expression, months)
    paid = select(FanDay.account_id, month, FanDay.fan_id).distinct()
    paid = paid.where(FanDay.account_id == account.id, FanDay.day.between(*numbers))
    db.session.execute(insert(FanMonth).from_select(["account_id", "month", "fan_id"], paid))
