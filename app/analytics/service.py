"""Keeping the roll-ups: what changed is counted again, from the transactions; everything may be repeated."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, func, select, update

from app.accounts.models import Account
from app.analytics import counting, zones
from app.analytics.models import RollUp
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
            counting.count(account, first, last)
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
    counting.forget(account)
    ends = select(func.min(Transaction.received_at), func.max(Transaction.received_at))
    first, last = db.session.execute(ends.where(Transaction.account_id == account.id)).one()
    if first is not None:
        counting.count(account, first.date(), last.date())
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
