"""What is done to money received: written down once, and corrected when its source says something else."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from app.db import transaction
from app.earnings.models import Kind, StaleDay, Transaction
from app.extensions import db
from app.fans.models import Fan

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as its source tells it; `platform_id` names it there, `fan_id` is None while nobody knows who paid."""

    platform_id: str
    type: Kind
    gross_cents: int
    net_cents: int
    received_at: datetime
    fan_id: int | None = None


@dataclass(slots=True)
class _Changes:
    """What became different: on which UTC days, and by how much each fan's money."""

    count: int = 0
    days: set[date] = field(default_factory=set)
    gross: Counter[int] = field(default_factory=Counter)

    def add(self, payment: Payment | Transaction, sign: int = 1) -> None:
        """A payment that counts now (`sign` 1), or no longer (-1)."""
        self.days.add(payment.received_at.astimezone(UTC).date())
        if payment.fan_id is not None:
            self.gross[payment.fan_id] += sign * payment.gross_cents


def record(account_id: int, payments: Iterable[Payment]) -> int:
    """Write payments to the account down, correct those that are known; how many were new or different.

    May be repeated, and done twice at once. Of two with the same platform id the later one counts. A correction that
    names no fan leaves the one who is known.
    """
    by_id = {payment.platform_id: payment for payment in payments}
    # In one order: two who record the same payments wait for each other instead of holding each other up.
    told = [by_id[platform_id] for platform_id in sorted(by_id)]
    changes = _Changes()
    with transaction():
        for some in (told[start : start + AT_ONCE] for start in range(0, len(told), AT_ONCE)):
            new = _insert(account_id, some)
            for payment in some:
                if payment.platform_id in new:
                    changes.count += 1
                    changes.add(payment)
            _correct(account_id, [payment for payment in some if payment.platform_id not in new], changes)
        db.session.add_all(StaleDay(account_id=account_id, day=day) for day in sorted(changes.days))
        db.session.flush()
        for fan_id, difference in sorted(changes.gross.items()):
            _value(fan_id, difference)
    return changes.count


def _insert(account_id: int, payments: Sequence[Payment]) -> set[str]:
    """The platform ids of those that weren't there."""
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [
        {
            "account_id": account_id,
            "fan_id": payment.fan_id,
            "platform_id": payment.platform_id,
            "type": payment.type,
            "gross_cents": payment.gross_cents,
            "net_cents": payment.net_cents,
            "received_at": payment.received_at,
        }
        for payment in payments
    ]
    statement = insert(Transaction).values(rows).on_conflict_do_nothing().returning(Transaction.platform_id)
    return set(db.session.scalars(statement))


def _correct(account_id: int, payments: Sequence[Payment], changes: _Changes) -> None:
    told = {payment.platform_id: payment for payment in payments}
    for known in _known(account_id, list(told)):
        payment = told[known.platform_id]
        corrected = {
            "fan_id": known.fan_id if payment.fan_id is None else payment.fan_id,
            "type": payment.type,
            "gross_cents": payment.gross_cents,
            "net_cents": payment.net_cents,
            "received_at": payment.received_at,
        }
        if all(getattr(known, name) == value for name, value in corrected.items()):
            continue
        changes.count += 1
        changes.add(known, -1)
        for name, value in corrected.items():
            setattr(known, name, value)
        changes.add(known)


def _known(account_id: int, platform_ids: Sequence[str]) -> Iterator[Transaction]:
    if platform_ids:
        query = select(Transaction).where(Transaction.account_id == account_id)
        query = query.where(Transaction.platform_id.in_(platform_ids)).order_by(Transaction.id).with_for_update()
        yield from db.session.scalars(query.execution_options(populate_existing=True))


def _value(fan_id: int, difference: int) -> None:
    """A fan is worth what they paid, or what an import said when that is more."""
    fan = db.session.scalar(
        select(Fan).where(Fan.id == fan_id).with_for_update().execution_options(populate_existing=True)
    )
    if fan is None or not difference:
        return
    paid = db.session.execute(
        select(func.coalesce(func.sum(Transaction.gross_cents), 0)).where(Transaction.fan_id == fan_id)
    ).scalar_one()
    came_from_payments = fan.value_cents == paid - difference
    fan.value_cents = paid if came_from_payments else max(fan.value_cents, paid)
