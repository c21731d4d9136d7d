"""Rows meet the fans that are there: a few statements for a whole batch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update

from app.clock import now
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.imports.columns import DISPLAY_NAME
from app.imports.reader import Rejected, Row, key_of_name

TWINS = "Display Name belongs to two fans without a username: which one is meant?"
Changes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a fan."""

    id: int
    handle: str | None
    name: str
    email: str | None
    tier: str | None
    value_cents: int
    last_seen_at: datetime | None


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def merge(account_id: int, batch: Sequence[Row | Rejected]) -> Outcome:
    """Insert and change the account's fans, in the caller's transaction.

    A row with a username meets the fan of that handle, one with only a display name the fan of that very name without
    handle. What a row doesn't say stays as it is. Rows must be about different fans, as reader.rows() sees to.
    """
    outcome = Outcome(rejected=[row for row in batch if isinstance(row, Rejected)])
    rows = [row for row in batch if isinstance(row, Row)]
    known = _known(account_id, rows)
    new: list[Row] = []
    met: list[tuple[Known, Row]] = []
    for row in rows:
        found = known[row.key]
        if len(found) > 1:
            outcome.rejected.append(Rejected(row.line, [(DISPLAY_NAME, TWINS)], row.cells))
        elif found:
            met.append((found[0], row))
        else:
            new.append(row)
    changes = _changes(met)
    _insert(account_id, new)
    _update(changes)
    outcome.inserted, outcome.updated, outcome.unchanged = len(new), len(changes), len(met) - len(changes)
    return outcome


def _known(account_id: int, rows: Iterable[Row]) -> dict[str, list[Known]]:
    """Row.key → the fans that it means."""
    found: dict[str, list[Known]] = defaultdict(list)
    handles = [row.handle for row in rows if row.handle]
    names = [row.name for row in rows if not row.handle]
    for fan in _fans(account_id, Fan.handle.in_(handles)) if handles else ():
        found[fan.handle or ""].append(fan)
    for fan in _fans(account_id, Fan.handle.is_(None), Fan.name.in_(names)) if names else ():
        found[key_of_name(fan.name)].append(fan)
    return found


def _fans(account_id: int, *which: ColumnElement[bool]) -> list[Known]:
    columns = (Fan.id, Fan.handle, Fan.name, Fan.email, Fan.tier, Fan.value_cents, Fan.last_seen_at)
    query = select(*columns).where(Fan.account_id == account_id, *which).order_by(Fan.id).with_for_update()
    return [Known(*row) for row in db.session.execute(query)]


def _changes(met: Sequence[tuple[Known, Row]]) -> list[Changes]:
    """What really becomes different, for each fan all columns that an import may change."""
    paid = _paid([fan.id for fan, row in met if row.value_cents is not None])
    changes: list[Changes] = []
    for fan, row in met:
        said: Changes = {
            "name": row.name or fan.name,
            "email": row.email or fan.email,
            "tier": row.tier or fan.tier,
            "value_cents": fan.value_cents if row.value_cents is None else max(row.value_cents, paid.get(fan.id, 0)),
            "last_seen_at": _later(fan.last_seen_at, row.last_seen_at),
        }
        if any(getattr(fan, name) != value for name, value in said.items()):
            changes.append(said | {"fan_id": fan.id})
    return changes


def _paid(fan_ids: Sequence[int]) -> dict[int, int]:
    """What the transactions of fans add up to, in gross cents."""
    if not fan_ids:
        return {}
    total = func.sum(Transaction.gross_cents)
    query = select(Transaction.fan_id, total).where(Transaction.fan_id.in_(fan_ids)).group_by(Transaction.fan_id)
    return {fan_id: int(cents) for fan_id, cents in db.session.execute(query) if fan_id is not None}


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _insert(account_id: int, rows: Iterable[Row]) -> None:
    common = {"account_id": account_id, "status": "active", "tags": [], "notes": "", "created_at": (at := now())}
    new = [
        {
            "handle": row.handle or None,
            "name": row.name or row.handle,
            "email": row.email or None,
            "tier": row.tier or None,
            "value_cents": row.value_cents or 0,
            "last_seen_at": row.last_seen_at,
            "updated_at": at,
            **common,
        }
        for row in rows
    ]
    if new:
        db.session.connection().execute(insert(Fan), new)


def _update(changes: Sequence[Changes]) -> None:
    if changes:
        columns: Changes = {name: bindparam(name) for name in changes[0] if name != "fan_id"}
        statement = update(Fan).where(Fan.id == bindparam("fan_id")).values(updated_at=now(), **columns)
        db.session.connection().execute(statement, changes)
