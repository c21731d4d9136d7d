"""Rows meet the fans that are there: a few statements for a whole batch."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select

from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.imports import writing
from app.imports.columns import DISPLAY_NAME
from app.imports.reader import Rejected, Row, key_of_name
from app.imports.writing import Changes

TWINS = "Display Name belongs to two fans without a username: which one is meant?"


class Known(NamedTuple):
    """What is known of a fan; the first of it in the order of Changes."""

    fan_id: int
    name: str
    email: str | None
    tier: str | None
    value_cents: int
    last_seen_at: datetime | None
    handle: str | None


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
    writing.begin()
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
    writing.insert_fans(account_id, new)
    writing.update_fans(changes)
    outcome.inserted, outcome.updated, outcome.unchanged = len(new), len(changes), len(met) - len(changes)
    return outcome


def _known(account_id: int, rows: Iterable[Row]) -> dict[str, list[Known]]:
    """Row.key → the fans that it means."""
    found: dict[str, list[Known]] = defaultdict(list)
    handles = [row.handle for row in rows if row.handle]
    names = [row.name for row in rows if not row.handle]
    for fan in _fans(account_id, Fan.handle.in_(handles)) if handles else ():
        found[fan.handle or ""].append(fan)
    for fan in _fans(account_id, Fan.handle.is_(None), Fan.removed_at.is_(None), Fan.name.in_(names)) if names else ():
        found[key_of_name(fan.name)].append(fan)
    return found


def _fans(account_id: int, *which: ColumnElement[bool]) -> list[Known]:
    columns = (Fan.id, Fan.name, Fan.email, Fan.tier, Fan.value_cents, Fan.last_seen_at, Fan.handle)
    query = (
        select(*columns).where(Fan.account_id == account_id, *which).order_by(Fan.id).with_for_update(key_share=True)
    )
    return [Known(*row) for row in db.session.execute(query)]


def _changes(met: Sequence[tuple[Known, Row]]) -> list[Changes]:
    """Those whose fan becomes different, each with all columns that an import may change."""
    paid = _paid([fan.fan_id for fan, row in met if row.value_cents is not None])
    changes: list[Changes] = []
    for fan, row in met:
        said: Changes = {
            "fan_id": fan.fan_id,
            "name": row.name or fan.name,
            "email": row.email or fan.email,
            "tier": row.tier or fan.tier,
            "value_cents": fan.value_cents
            if row.value_cents is None
            else max(row.value_cents, paid.get(fan.fan_id, 0)),
            "last_seen_at": _later(fan.last_seen_at, row.last_seen_at),
        }
        if fan[:-1] != tuple(said.values()):
            changes.append(said)
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
