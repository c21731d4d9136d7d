"""What delivery rebuilds Redis from: which accounts have work, and when each last called the platform."""

from collections.abc import Sequence

from sqlalchemy import select, text

from app.accounts.models import Account
from app.db import database_now
from app.extensions import db
from app.messages.line import NOW, SENDABLE
from app.messages.models import Attempt


def accounts_with_work() -> list[int]:
    """Accounts that have queued, received rows and may send: what Redis' list of ready accounts is rebuilt from."""
    now = database_now()
    query = text(f"""
        SELECT a.id FROM account a
        WHERE EXISTS (
            SELECT 1 FROM message c
            WHERE c.account_id = a.id AND c.status = 'queued' AND NOT c.held AND c.received_at IS NOT NULL)
          AND {SENDABLE}
    """).bindparams(NOW)  # noqa: S608 - constants only
    return list(db.session.scalars(query, {"now": now}))


def newest_attempts(account_ids: Sequence[int]) -> tuple[dict[int, float], bool]:
    """Seconds since each account's newest attempt began (accounts without one are left out); whether there is any."""
    now = database_now()
    newest = (
        select(Attempt.started_at)
        .where(Attempt.account_id == Account.id)
        .order_by(Attempt.started_at.desc())
        .limit(1)
        .correlate(Account)
        .scalar_subquery()
    )
    query = select(Account.id, newest.label("started_at")).where(Account.id.in_(account_ids))
    ages = {
        row.id: (now - row.started_at).total_seconds()
        for row in db.session.execute(query)
        if row.started_at is not None
    }
    return ages, db.session.scalar(select(Attempt.id).limit(1)) is not None
