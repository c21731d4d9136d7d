"""What one fan has paid, for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from app.accounts import queries as accounts
from app.accounts.models import User
from app.earnings.models import Transaction
from app.extensions import db

LATEST = 10


@dataclass(frozen=True, slots=True)
class Spend:
    """Gross cents by type of payment, the largest first; the newest payments; how many there are in all."""

    by_type: Sequence[tuple[str, int]]
    latest: Sequence[Transaction]
    payments: int

    @property
    def gross_cents(self) -> int:
        """All of it."""
        return sum(cents for _, cents in self.by_type)


def of_fan(viewer: User, fan_id: int) -> Spend:
    """What this fan has paid; nothing for a fan who isn't the viewer's."""
    mine = (Transaction.fan_id == fan_id, Transaction.account_id.in_(accounts.visible_ids(viewer)))
    total = func.sum(Transaction.gross_cents)
    sums = select(Transaction.type, total, func.count()).where(*mine).group_by(Transaction.type)
    rows = db.session.execute(sums.order_by(total.desc(), Transaction.type)).all()
    newest_first = (Transaction.received_at.desc(), Transaction.id.desc())
    latest = select(Transaction).where(*mine).order_by(*newest_first).limit(LATEST)
    return Spend(
        by_type=[(kind, int(cents)) for kind, cents, _ in rows],
        latest=list(db.session.scalars(latest)) if rows else [],
        payments=sum(count for _, _, count in rows),
    )
