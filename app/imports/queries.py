"""Reads of imports for people."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from app.accounts import queries as accounts
from app.accounts.models import User
from app.errors import NotFound
from app.extensions import db
from app.imports.models import Import, RejectedRow

PAGE = 20
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one row: `line` is the file's."""

    line: int
    field: str
    message: str


def find(viewer: User, import_id: int) -> Import:
    """One import; raises NotFound when it isn't the viewer's."""
    query = select(Import).where(Import.id == import_id, Import.account_id.in_(accounts.visible_ids(viewer)))
    found = db.session.scalar(query)
    if found is None:
        raise NotFound("Import not found")
    return found


def history(viewer: User, before: int | None = None, limit: int = PAGE) -> list[Import]:
    """The viewer's imports, the newest first; `before` (an id) pages on."""
    query = select(Import).where(Import.account_id.in_(accounts.visible_ids(viewer)))
    if before is not None:
        query = query.where(Import.id < before)
    return list(db.session.scalars(query.order_by(Import.id.desc()).limit(limit)))


def rejected(import_id: int, after: int = 0, limit: int = AT_ONCE) -> list[RejectedRow]:
    """Rows that an import didn't take, below line `after`, in the file's order."""
    query = select(RejectedRow).where(RejectedRow.import_id == import_id, RejectedRow.line > after)
    return list(db.session.scalars(query.order_by(RejectedRow.line).limit(limit)))


def faults(import_id: int, limit: int) -> list[Fault]:
    """The first faults of an import."""
    found = (Fault(row.line, *fault) for row in rejected(import_id, limit=limit) for fault in row.faults)
    return [fault for _, fault in zip(range(limit), found, strict=False)]


def all_rejected(import_id: int) -> Iterator[RejectedRow]:
    """Every row that was kept, read in pieces."""
    after = 0
    while some := rejected(import_id, after):
        yield from some
        after = some[-1].line
        db.session.expunge_all()
