"""Rows meet the fans that are there: a few statements for a whole batch, all of them inside the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Connection, Table, bindparam, case, func, or_, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite

from app.clock import now
from app.conversations import service as conversations
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.imports.cells import Rejected, Row
from app.imports.columns import DISPLAY_NAME
from app.imports.staging import STAGED, fill

TWINS = "Display Name belongs to two fans without a username: which one is meant?"
CUSTOM_PLANS = text("SET LOCAL plan_cache_mode = force_custom_plan")

FANS = cast(Table, Fan.__table__)
fan, told = FANS.c, STAGED.c
by_handle = select(fan.id).where(fan.account_id == bindparam("account"), fan.handle == told.handle)
namesakes = (
    (fan.account_id == bindparam("account")) & fan.handle.is_(None) & fan.removed_at.is_(None) & (fan.name == told.name)
)
paid = select(func.coalesce(func.sum(Transaction.gross_cents), 0)).where(Transaction.fan_id == fan.id)
later = or_(fan.last_seen_at.is_(None), told.last_seen_at > fan.last_seen_at)
# What a row doesn't say stays as it is.
AFTER = {
    "name": func.coalesce(func.nullif(told.name, ""), fan.name),
    "email": func.coalesce(func.nullif(told.email, ""), fan.email),
    "tier": func.coalesce(func.nullif(told.tier, ""), fan.tier),
    "value_cents": case(
        (told.value_cents.is_(None), fan.value_cents),
        (told.value_cents > paid.scalar_subquery(), told.value_cents),
        else_=paid.scalar_subquery(),
    ),
    "last_seen_at": case((later, func.coalesce(told.last_seen_at, fan.last_seen_at)), else_=fan.last_seen_at),
}
DIFFERENT = (told.fan_id == fan.id) & or_(*(fan[name].is_distinct_from(value) for name, value in AFTER.items()))
NEW = {
    "account_id": bindparam("account"),
    "handle": func.nullif(told.handle, ""),
    "name": func.coalesce(func.nullif(told.name, ""), told.handle),
    "email": func.nullif(told.email, ""),
    "tier": func.nullif(told.tier, ""),
    "value_cents": func.coalesce(told.value_cents, 0),
    "last_seen_at": told.last_seen_at,
    "status": bindparam("status", "active"),
    "tags": bindparam("tags", [], type_=fan.tags.type),
    "notes": bindparam("notes", ""),
    "created_at": bindparam("at", type_=fan.created_at.type),
    "updated_at": bindparam("at", type_=fan.created_at.type),
}
MEET_BY_HANDLE = update(STAGED).where(told.handle != "").values(fan_id=by_handle.scalar_subquery())
MEET_BY_NAME = (
    update(STAGED)
    .where(told.handle == "")
    .values(
        fan_id=select(func.min(fan.id)).where(namesakes).scalar_subquery(),
        twins=select(func.count() > 1).select_from(Fan).where(namesakes).scalar_subquery(),
    )
)
AMBIGUOUS = STAGED.delete().where(told.twins == true()).returning(told.line)
CHANGING = select(fan.id).join(STAGED, DIFFERENT).order_by(fan.id).with_for_update(key_share=True, of=FANS)
RENAMED = select(fan.id).join(STAGED, (told.fan_id == fan.id) & (told.name != "") & (told.name != fan.name))
CHANGE = update(FANS).where(DIFFERENT).values(updated_at=bindparam("at"), **AFTER)
# Most files hold more new fans than known ones, and the unique constraint of handles is the quickest to say so. In one
# order: two imports of the same fans wait for each other instead of holding each other up.
ADD = {
    dialect: insert(FANS)
    .from_select(list(NEW), select(*NEW.values()).where(told.fan_id.is_(None)).order_by(told.handle))
    .on_conflict_do_nothing(index_elements=[fan.account_id, fan.handle])
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
COUNTED = {"preserve_rowcount": True}


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def merge(account_id: int, batch: Sequence[Row | Rejected]) -> Outcome:
    """Insert and change the account's fans, in the caller's transaction; whom somebody else adds meanwhile is met.

    A row with a username meets the fan of that handle, one with only a display name the fan of that very name without
    handle. Rows must be about different fans, as reader.rows() sees to.
    """
    outcome = Outcome(rejected=[row for row in batch if isinstance(row, Rejected)])
    rows = [row for row in batch if isinstance(row, Row)]
    if not rows:
        return outcome
    connection, values = db.session.connection(), {"account": account_id, "at": now()}
    if connection.dialect.name == "postgresql":
        # Plans are for the tables as they are by now, not as they were when the import began.
        connection.execute(CUSTOM_PLANS)
    fill(connection, rows)
    if not all(row.handle for row in rows):
        connection.execute(MEET_BY_NAME, values)
        ambiguous = set(connection.scalars(AMBIGUOUS))
        outcome.rejected += [
            Rejected(row.line, [(DISPLAY_NAME, TWINS)], row.cells) for row in rows if row.line in ambiguous
        ]
        rows = [row for row in rows if row.line not in ambiguous]
    add = ADD[connection.dialect.name]
    outcome.inserted = connection.execute(add, values, execution_options=COUNTED).rowcount
    if outcome.inserted < len(rows):
        outcome.updated = _change(connection, values)
    outcome.unchanged = len(rows) - outcome.updated - outcome.inserted
    return outcome


def _change(connection: Connection, values: Mapping[str, object]) -> int:
    """Change the fans that rows met and differ from; how many. Those that were just added differ in nothing."""
    connection.execute(MEET_BY_HANDLE, values)
    # Locked before they are changed: what is paid meanwhile is counted.
    if connection.execute(CHANGING).first() is None:
        return 0
    conversations.fans_changed(RENAMED)
    return connection.execute(CHANGE, values, execution_options=COUNTED).rowcount
