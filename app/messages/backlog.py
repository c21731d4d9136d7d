"""What delivery rebuilds Redis from: which accounts have work, and when each last called the platform."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text

from app.db import database_now
from app.extensions import db
from app.messages.claims import NOW, SENDABLE
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
    ages: dict[int, float] = {}
    for account_id in account_ids:
        started: datetime | None = db.session.scalar(
            select(Attempt.started_at)
            .where(Attempt.account_id == account_id)
            .order_by(Attempt.started_at.desc())
            .limit(1)
        )
        if started is not None:
            ages[account_id] = (now - started).total_seconds()
    return ages, db.session.scalar(select(Attempt.id).limit(1)) is not None
