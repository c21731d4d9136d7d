"""Many fans written by one statement: arrays on PostgreSQL, where a row at a time costs five times as much."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import bindparam, insert, text, update

from app.clock import now
from app.extensions import db
from app.fans.models import Fan
from app.imports.reader import Row


class Changes(TypedDict):
    """A fan as an import leaves them."""

    fan_id: int
    name: str
    email: str | None
    tier: str | None
    value_cents: int
    last_seen_at: datetime | None


COLUMNS = ("name", "email", "tier", "value_cents", "last_seen_at")
ADD = text("""
    INSERT INTO fan (account_id, handle, name, email, tier, value_cents, last_seen_at,
                     status, tags, notes, created_at, updated_at)
    SELECT :account_id, told.*, 'active', '[]', '', :at, :at
    FROM unnest(CAST(:handle AS text[]), CAST(:name AS text[]), CAST(:email AS text[]), CAST(:tier AS text[]),
                CAST(:value_cents AS bigint[]), CAST(:last_seen_at AS timestamptz[])) AS told
""")
CHANGE = text("""
    UPDATE fan SET name = told.name, email = told.email, tier = told.tier, value_cents = told.value_cents,
                   last_seen_at = told.last_seen_at, updated_at = :at
    FROM unnest(CAST(:fan_id AS bigint[]), CAST(:name AS text[]), CAST(:email AS text[]), CAST(:tier AS text[]),
                CAST(:value_cents AS bigint[]), CAST(:last_seen_at AS timestamptz[]))
         AS told(fan_id, name, email, tier, value_cents, last_seen_at)
    WHERE fan.id = told.fan_id
""")


def begin() -> None:
    """Before a batch: have PostgreSQL plan for the table as it is by now, not as it was when the import began."""
    if _on_postgresql():
        db.session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


def insert_fans(account_id: int, rows: Sequence[Row]) -> None:
    """New fans of the account; raises IntegrityError when somebody else was first."""
    told = [
        {
            "handle": row.handle or None,
            "name": row.name or row.handle,
            "email": row.email or None,
            "tier": row.tier or None,
            "value_cents": row.value_cents or 0,
            "last_seen_at": row.last_seen_at,
        }
        for row in rows
    ]
    if told and _on_postgresql():
        db.session.connection().execute(ADD, _turned(told) | {"account_id": account_id, "at": now()})
    elif told:
        common = {"account_id": account_id, "status": "active", "tags": [], "notes": "", "value_cents": 0}
        common |= {"created_at": (at := now()), "updated_at": at}
        db.session.connection().execute(insert(Fan), [common | row for row in told])


def update_fans(changes: Sequence[Changes]) -> None:
    """Fans that are there, as the changes say."""
    if changes and _on_postgresql():
        db.session.connection().execute(CHANGE, _turned(changes) | {"at": now()})
    elif changes:
        columns: dict[str, Any] = {name: bindparam(name) for name in COLUMNS}
        statement = update(Fan).where(Fan.id == bindparam("fan_id")).values(updated_at=now(), **columns)
        db.session.connection().execute(statement, changes)


def _on_postgresql() -> bool:
    return db.session.get_bind().dialect.name == "postgresql"


def _turned(rows: Sequence[Any]) -> dict[str, Any]:
    """Rows → columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}
