"""The journal of webhooks: an event is written down at once and worked off in the background, exactly once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis as redis_client
from sqlalchemy import delete, select, update

from app import jobs
from app.accounts.models import Account
from app.clock import now
from app.db import insert_unless_there, on_commit, transaction
from app.extensions import db, redis
from app.inbound import events
from app.inbound.adapter import Unreadable
from app.inbound.events import Event, NotYet
from app.inbound.models import Outcome, WebhookEvent

log = logging.getLogger(__name__)
WORK_OFF = "app.inbound.service.work_off"
ASKED_AGAIN_AFTER = 30
# Short ones: while one is written, SQLite lets nobody else write.
BATCH, BATCHES = 20, 1000
ATTEMPTS_MOST = 6
NOT_YET, FIRST_PAUSE = timedelta(seconds=10), timedelta(seconds=10)
LEFT_AFTER = timedelta(seconds=5)
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it came; `key` is None for those that the platform gives none."""

    event: str
    platform_account: str
    payload: Any
    key: str | None


def accept(told: Told) -> None:
    """Write an event down, once for each key; a background worker does the rest."""
    with transaction():
        row = {"event": told.event, "platform_account": told.platform_account, "payload": told.payload, "key": told.key}
        insert_unless_there(WebhookEvent, [row])
        on_commit(_wake)


def _wake() -> None:
    try:
        jobs.enqueue_seldom(redis(), WORK_OFF, ASKED_AGAIN_AFTER)
    except redis_client.RedisError as error:
        log.warning("webhooks_not_enqueued", extra={"reason": type(error).__name__})


def work_off() -> None:
    """Work off the events that wait: the job of a background worker."""
    # First: what is accepted from now on asks for the next job, if this one doesn't see it any more.
    jobs.begun(redis(), WORK_OFF)
    for _ in range(BATCHES):
        if not work_off_batch():
            return
    _wake()


def hand_on_left() -> None:
    """Give events that nobody took up to the background; the database knows them all."""
    if db.session.scalar(select(WebhookEvent.id).where(_waiting(), WebhookEvent.try_at < now() - LEFT_AFTER).limit(1)):
        _wake()


def work_off_batch() -> bool:
    """Work off the next events that wait; whether there were any."""
    with transaction():
        query = select(WebhookEvent.id).where(_waiting(), WebhookEvent.try_at <= now())
        waiting = list(db.session.scalars(query.order_by(WebhookEvent.try_at, WebhookEvent.id).limit(BATCH)))
    try:
        with transaction():
            _work_off(waiting)
    except Exception:
        # Whatever one of them can't stand, the others go on.
        for event_id in waiting:
            _work_off_alone(event_id)
    return bool(waiting)


def _waiting() -> Any:
    return WebhookEvent.done_at.is_(None)


def _work_off_alone(event_id: int) -> None:
    try:
        with transaction():
            _work_off([event_id])
    except NotYet:
        _put_off(event_id, "")
    except Exception as error:
        log.exception("webhook_failed", extra={"webhookId": event_id})
        _put_off(event_id, type(error).__name__)


def _work_off(event_ids: Sequence[int]) -> None:
    for event_id in event_ids:
        # Whoever else is at it waits here until we have committed, and finds it done.
        taken = update(WebhookEvent).where(WebhookEvent.id == event_id, _waiting()).values(done_at=now())
        row = db.session.scalar(taken.returning(WebhookEvent), execution_options={"populate_existing": True})
        if row is not None:
            row.outcome, row.error = _apply(row)
            db.session.flush()


def _apply(row: WebhookEvent) -> tuple[Outcome, str | None]:
    account_id = db.session.scalar(select(Account.id).where(Account.platform_id == row.platform_account))
    if account_id is None:
        return Outcome.STRANGER, None
    try:
        event = Event(row.event, account_id, row.platform_account, row.payload, row.received_at)
        return events.apply(event), None
    except Unreadable as error:
        log.warning("webhook_unreadable", extra={"webhookId": row.id, "reason": str(error)})
        return Outcome.UNREADABLE, str(error)


def _put_off(event_id: int, error: str) -> None:
    """Take an event up again later; one that failed and failed is given up, and stays in the journal."""
    with transaction():
        row = db.session.get_one(WebhookEvent, event_id, populate_existing=True)
        if row.done_at is not None:
            return
        row.error = error or None
        if not error:
            row.try_at = now() + NOT_YET
            return
        row.attempts += 1
        row.try_at = now() + FIRST_PAUSE * 2**row.attempts
        if row.attempts >= ATTEMPTS_MOST:
            row.done_at, row.outcome = now(), Outcome.FAILED


def forget_old() -> None:
    """Drop events that are over and older than 30 days."""
    with transaction():
        over = WebhookEvent.done_at.is_not(None)
        db.session.execute(delete(WebhookEvent).where(over, WebhookEvent.received_at < now() - KEPT))
