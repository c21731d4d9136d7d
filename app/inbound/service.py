"""The journal of webhooks: an event is written down at once and worked off in the background, exactly once."""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, cast

import redis as redis_client
from sqlalchemy import ColumnElement, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app import jobs
from app.accounts.models import Account
from app.clock import now
from app.db import on_commit, transaction
from app.extensions import db, redis
from app.inbound import events
from app.inbound.events import Ending, Event
from app.inbound.models import Outcome, WebhookEvent

log = logging.getLogger(__name__)
WORK_OFF = "app.inbound.service.work_off"
# A worker that was killed leaves what it was asked for undone: soon somebody else is asked.
ASKED_AGAIN_AFTER = 10
# Short ones: while one is written, SQLite lets nobody else write.
BATCH, BATCHES = 50, 1000
# When they come fast, few of them are worth no transaction of their own.
GATHER_SECONDS = 0.05
ATTEMPTS_MOST = 6
NOT_YET, FIRST_PAUSE = timedelta(seconds=10), timedelta(seconds=10)
LEFT_AFTER = timedelta(seconds=5)
KEPT = timedelta(days=30)
STRANGER = Ending(Outcome.STRANGER)
PLAIN = {"synchronize_session": False}
_journal = cast(Table, WebhookEvent.__table__)
TOLD = (_journal.c.id, _journal.c.event, _journal.c.platform_account, _journal.c.payload, _journal.c.received_at)
WRITE_DOWN = {
    "sqlite": sqlite.insert(_journal).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_journal).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it came; `key` is None for those that the platform gives none."""

    event: str
    platform_account: str
    payload: Any
    key: str | None


def accept(told: Told) -> None:
    """Write an event down, once for each key; a background worker does the rest."""
    row = {"event": told.event, "platform_account": told.platform_account, "payload": told.payload, "key": told.key}
    with transaction():
        connection = db.session.connection()
        connection.execute(WRITE_DOWN[connection.dialect.name], row)
        on_commit(_wake)


def _wake() -> None:
    try:
        jobs.enqueue_seldom(redis(), WORK_OFF, ASKED_AGAIN_AFTER)
    except redis_client.RedisError as error:
        log.warning("webhooks_not_enqueued", extra={"reason": type(error).__name__})


def work_off() -> None:
    """Work off the events that wait: the job of a worker."""
    for _ in range(BATCHES):
        done = work_off_batch()
        if not done:
            # Who wrote an event down before this asked for nothing; who does it from now on asks for another job.
            jobs.begun(redis(), WORK_OFF)
            done = work_off_batch()
        if not done:
            return
        if done < BATCH:
            time.sleep(GATHER_SECONDS)
    jobs.begun(redis(), WORK_OFF)
    _wake()


def hand_on_left() -> None:
    """Give events that nobody took up to the background; the database knows them all."""
    if db.session.scalar(select(WebhookEvent.id).where(_waiting(), WebhookEvent.try_at < now() - LEFT_AFTER).limit(1)):
        _wake()


def work_off_batch() -> int:
    """Work off the next events that wait; how many there were."""
    try:
        with transaction():
            return _work_off(_next())
    except Exception:
        log.warning("webhooks_one_by_one", exc_info=True)
    with transaction():
        waiting = _next()
    # Whatever one of them can't stand, the others go on.
    for event_id in waiting:
        _work_off_alone(event_id)
    return len(waiting)


def _waiting() -> ColumnElement[bool]:
    return WebhookEvent.done_at.is_(None)


def _next() -> list[int]:
    query = select(WebhookEvent.id).where(_waiting(), WebhookEvent.try_at <= now())
    query = query.order_by(WebhookEvent.try_at, WebhookEvent.id).limit(BATCH)
    return list(db.session.scalars(query.with_for_update(skip_locked=True)))


def _work_off_alone(event_id: int) -> None:
    try:
        with transaction():
            _work_off([event_id])
    except Exception as error:
        log.exception("webhook_failed", extra={"webhookId": event_id})
        _put_off(event_id, type(error).__name__)


def _work_off(event_ids: Sequence[int]) -> int:
    """Work these off, unless somebody else has; how many there were."""
    at = now()
    # Whoever else is at one of them waits here until we have committed, and finds it done.
    taken = update(WebhookEvent).where(WebhookEvent.id.in_(event_ids), _waiting())
    taken = taken.values(done_at=at, outcome=Outcome.DONE, error=None)
    rows = db.session.execute(taken.returning(*TOLD)).all() if event_ids else []
    accounts = _accounts({row.platform_account for row in rows})
    endings = {row.id: STRANGER for row in rows if row.platform_account not in accounts}
    ours = sorted((row for row in rows if row.id not in endings), key=attrgetter("id"))
    endings |= events.apply(
        [Event(r.id, r.event, accounts[r.platform_account], r.platform_account, r.payload, r.received_at) for r in ours]
    )
    _note(endings, at)
    return len(rows)


def _accounts(platform_ids: Collection[str]) -> dict[str, int]:
    query = select(Account.platform_id, Account.id).where(Account.platform_id.in_(platform_ids))
    return {row.platform_id: row.id for row in db.session.execute(query)} if platform_ids else {}


def _note(endings: Mapping[int, Ending], at: datetime) -> None:
    for event_id, ending in endings.items():
        values: dict[str, Any] = {"outcome": ending.outcome, "error": ending.error}
        if ending.outcome is None:
            values |= {"done_at": None, "try_at": at + NOT_YET}
        elif ending.outcome is Outcome.UNREADABLE:
            log.warning("webhook_unreadable", extra={"webhookId": event_id, "reason": ending.error})
        db.session.execute(
            update(WebhookEvent).where(WebhookEvent.id == event_id).values(**values), execution_options=PLAIN
        )


def _put_off(event_id: int, error: str) -> None:
    """Take an event that failed up again later; one that failed and failed is given up, and stays in the journal."""
    with transaction():
        row = db.session.get_one(WebhookEvent, event_id, populate_existing=True)
        if row.done_at is not None:
            return
        row.error = error
        row.attempts += 1
        row.try_at = now() + FIRST_PAUSE * 2**row.attempts
        if row.attempts >= ATTEMPTS_MOST:
            row.done_at, row.outcome = now(), Outcome.FAILED


def forget_old() -> None:
    """Drop events that are over and older than 30 days."""
    with transaction():
        over = WebhookEvent.done_at.is_not(None)
        db.session.execute(delete(WebhookEvent).where(over, WebhookEvent.received_at < now() - KEPT))
