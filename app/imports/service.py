"""What is done with files of fans: taken in, begun, worked off batch by batch, forgotten."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import islice

from sqlalchemy import delete, insert, or_, select, update

from app import jobs
from app.accounts import queries as accounts
from app.accounts.models import User
from app.accounts.service import audit
from app.clock import now
from app.db import database_now, on_commit, transaction
from app.errors import Conflict, Invalid, Problem
from app.extensions import db, redis
from app.imports import queries, reader
from app.imports.cells import Rejected, Row
from app.imports.merge import Outcome, merge
from app.imports.models import Import, ImportFile, RejectedRow, Status
from app.imports.reader import Layout, Survey, Wishes
from app.imports.staging import few_pages

log = logging.getLogger(__name__)
RUN = "app.imports.service.run"
AT_ONCE = 5000
BATCH = 10_000
MOST_CLAIMS = 5
REJECTED_KEPT = 10_000
LEASE = timedelta(seconds=60)
DRAFT_KEPT = timedelta(days=1)
PREVIEW_CELL = 100
NAME_LENGTH = 200


def upload(
    viewer: User, account_id: int | None, file_name: str, content: bytes, wishes: Wishes | None = None
) -> Import:
    """Keep a file and what one look at it found; nothing is imported yet. Raises NotFound or Unreadable."""
    with transaction():
        account = accounts.account(viewer, account_id)
        found = reader.survey(content, wishes)
        draft = Import(
            account_id=account.id,
            author_id=viewer.id,
            file_name=_printable(file_name)[-NAME_LENGTH:] or "fans.csv",
            size=len(content),
            **_findings(found),
        )
        db.session.add(draft)
        db.session.flush()
        db.session.add(ImportFile(import_id=draft.id, content=content))
        return draft


def start(viewer: User, import_id: int, wishes: Wishes) -> Import:
    """Begin a draft; short files are done when this returns. Raises NotFound, Conflict, Unreadable, Invalid."""
    with transaction():
        draft = queries.find(viewer, import_id)
        if draft.status != Status.DRAFT:
            raise Conflict("This import has begun before")
        found = reader.survey(_content(draft.id), wishes)
        reader.check_columns(found.layout)
        for name, value in _findings(found).items():
            setattr(draft, name, value)
        if found.dates == "ambiguous" and wishes.date_order is None:
            raise _ambiguous()
        _begin(viewer, draft)
    return _at_once(draft)


def load(viewer: User, account_id: int | None, file_name: str, content: bytes, wishes: Wishes) -> Import:
    """Take a file in and begin. Dates whose order nothing proves are US ones, but not in a file of European make.

    Raises NotFound, Unreadable, and Invalid where the order of dates must be named.
    """
    with transaction():
        found = upload(viewer, account_id, file_name, content, wishes)
        # From here on the database has it.
        del content
        reader.check_columns(Layout(**found.layout))
        if found.preview["dates"] == "ambiguous" and wishes.date_order is None:
            if found.preview["european"]:
                raise _ambiguous()
            found.layout = found.layout | {"date_order": "mdy"}
        _begin(viewer, found)
    return _at_once(found)


def run(import_id: int) -> None:
    """Work off what is left of an import, unless somebody else is at it: the job of a background worker."""
    begun = _claim(import_id)
    if begun is None:
        return
    rows = islice(reader.rows(_content(import_id), Layout(**begun.layout)), begun.rows_done, None)
    done = begun.rows_done
    for batch in _read_ahead(rows):
        if not _work_off(begun, done, batch):
            return
        done += len(batch)
    _finish(begun.id, done)


def _read_ahead(rows: Iterator[Row | Rejected]) -> Iterator[list[Row | Rejected]]:
    """Batches, each read while the database is at work on the one before."""
    with ThreadPoolExecutor(1) as reading:
        ahead = reading.submit(_batch, rows)
        while batch := ahead.result():
            ahead = reading.submit(_batch, rows)
            yield batch


def _batch(rows: Iterator[Row | Rejected]) -> list[Row | Rejected]:
    return list(islice(rows, BATCH))


def hand_on_stalled() -> int:
    """Give imports that nobody works on (any more) to the background, again if need be; how many they were."""
    with transaction():
        at = database_now()
        stalled = update(Import).where(
            Import.status == Status.PROCESSING,
            or_(Import.queued_at.is_(None), Import.queued_at < at - LEASE),
            or_(Import.working_until.is_(None), Import.working_until < at),
        )
        ids = list(db.session.scalars(stalled.values(queued_at=at).returning(Import.id)))
        for import_id in ids:
            on_commit(partial(_enqueue, import_id))
        return len(ids)


def forget_drafts() -> None:
    """Drop files that were looked at and never imported."""
    with transaction():
        db.session.execute(delete(Import).where(Import.status == Status.DRAFT, Import.created_at < now() - DRAFT_KEPT))


def _findings(found: Survey) -> dict[str, object]:
    sample = [[line, [cell[:PREVIEW_CELL] for cell in cells]] for line, cells in found.sample]
    return {
        "layout": found.layout.plain(),
        "preview": {"sample": sample, "dates": found.dates, "european": found.european},
        "total_rows": found.total,
    }


def _ambiguous() -> Invalid:
    return Invalid([Problem("dateOrder", "The dates may begin with the month (mdy) or the day (dmy): say which")])


def _printable(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())


def _begin(viewer: User, draft: Import) -> None:
    draft.status = Status.PROCESSING
    draft.queued_at = database_now()
    db.session.flush()
    audit("import.begun", user=viewer, account_id=draft.account_id, import_id=draft.id, rows=draft.total_rows)
    if draft.total_rows > AT_ONCE:
        on_commit(partial(_enqueue, draft.id))


def _at_once(begun: Import) -> Import:
    if begun.total_rows <= AT_ONCE:
        run(begun.id)
        db.session.refresh(begun)
    return begun


def _enqueue(import_id: int) -> None:
    jobs.enqueue(redis(), RUN, import_id)


def _content(import_id: int) -> bytes:
    return db.session.execute(select(ImportFile.content).where(ImportFile.import_id == import_id)).scalar_one()


def _claim(import_id: int) -> Import | None:
    """The import, ours for a while; None when it isn't to be worked on, or somebody else is at it."""
    with transaction():
        at = database_now()
        free = or_(Import.working_until.is_(None), Import.working_until < at)
        claimed = (
            update(Import)
            .where(Import.id == import_id, Import.status == Status.PROCESSING, free)
            .values(working_until=at + LEASE, claims=Import.claims + 1)
            .returning(Import)
        )
        begun = db.session.scalars(claimed, execution_options={"populate_existing": True}).one_or_none()
        if begun is None or begun.claims <= MOST_CLAIMS:
            return begun
        log.error("import_failed", extra={"importId": import_id})
        begun.status, begun.finished_at = Status.FAILED, now()
        return None


def _work_off(begun: Import, done: int, batch: Sequence[Row | Rejected]) -> bool:
    """One batch and the note of it, together or not at all; False when another worker has moved the import on."""
    with transaction():
        if not _move(begun.id, done, done + len(batch)):
            return False
        with few_pages(db.session.connection()):
            _count(begun.id, merge(begun.account_id, batch))
        return True


def _move(import_id: int, before: int, after: int) -> bool:
    where = (Import.id == import_id, Import.status == Status.PROCESSING, Import.rows_done == before)
    values = {"rows_done": after, "claims": 0, "working_until": database_now() + LEASE}
    moved = update(Import).where(*where).values(values).returning(Import.id)
    return db.session.execute(moved, execution_options={"synchronize_session": False}).first() is not None


def _count(import_id: int, outcome: Outcome) -> None:
    room = REJECTED_KEPT - db.session.execute(select(Import.rejected).where(Import.id == import_id)).scalar_one()
    kept = [
        {"import_id": import_id, "line": row.line, "faults": [list(fault) for fault in row.faults], "cells": row.cells}
        for row in outcome.rejected[: max(0, room)]
    ]
    if kept:
        db.session.connection().execute(insert(RejectedRow), kept)
    values = {
        "inserted": Import.inserted + outcome.inserted,
        "updated": Import.updated + outcome.updated,
        "unchanged": Import.unchanged + outcome.unchanged,
        "rejected": Import.rejected + len(outcome.rejected),
        "faults": Import.faults + sum(len(row.faults) for row in outcome.rejected),
    }
    counted = update(Import).where(Import.id == import_id).values(values)
    db.session.execute(counted, execution_options={"synchronize_session": False})


def _finish(import_id: int, done: int) -> None:
    with transaction():
        where = (Import.id == import_id, Import.status == Status.PROCESSING, Import.rows_done == done)
        values = {"status": Status.COMPLETED, "finished_at": now(), "working_until": None}
        ended = update(Import).where(*where).values(values).returning(Import.id)
        if db.session.execute(ended, execution_options={"synchronize_session": False}).first() is not None:
            db.session.execute(delete(ImportFile).where(ImportFile.import_id == import_id))
