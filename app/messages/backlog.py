"""Which accounts have work, since when, and when each last called the platform: what Redis is rebuilt from."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, literal_column, select, text

from app.accounts.models import Account
from app.db import database_now
from app.extensions import db
from app.messages.line import HEADS_QUERY, NOW, SENDABLE
from app.messages.models import Attempt, Message


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


def ready_for() -> dict[int, float]:
    """Account id → for how many seconds the next message in its line has been waiting for nothing but its turn."""
    now = database_now()
    waits = {}
    for row in db.session.execute(HEADS_QUERY, {"now": now}):
        moments = (row.due_at, row.queued_at, row.next_attempt_at)
        waits[row.account_id] = (now - max(moment for moment in moments if moment is not None)).total_seconds()
    return waits


def in_line(account_ids: Sequence[int]) -> dict[int, int]:
    """Account id → how many of its messages are due and wait for their turn."""
    # Written as the index's own condition is, or SQLite doesn't use it.
    queued: ColumnElement[bool] = literal_column("message.status = 'queued' AND NOT message.held")
    query = (
        select(Message.account_id, func.count().label("many"))
        .where(Message.account_id.in_(account_ids), queued, Message.due_at <= database_now())
        .group_by(Message.account_id)
    )
    return {row.account_id: row.many for row in db.session.execute(query)} if account_ids else {}
