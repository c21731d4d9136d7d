"""What time does to messages: they fall due, leases run out, unclear ones become unknown; all may be repeated."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Update, select, update

from app.conversations import service as conversations
from app.db import database_now, on_commit, transaction
from app.extensions import db
from app.gateways import metrics
from app.gateways.metrics import Metric
from app.messages.models import Attempt, Message, Outcome, Status, Step

AT_ONCE = 500
KEY_KEPT = timedelta(hours=23)
CLAIMS_MOST = 5
TOO_OLD = "Nobody can tell whether this message arrived: the platform forgets its key after a day"
KILLS = "Five workers ended while they worked on this message"


def promote_due() -> int:
    """Scheduled messages whose time has come are queued; how many."""
    with transaction():
        now = database_now()
        due = (
            select(Message.id)
            .where(Message.status == Status.SCHEDULED, Message.due_at <= now)
            .order_by(Message.due_at)
            .limit(AT_ONCE)
        )
        promoted = _change(
            update(Message)
            .where(Message.id.in_(due), Message.status == Status.SCHEDULED)
            .values(status=Status.QUEUED, queued_at=now)
        )
        on_commit(partial(metrics.record, Metric.MESSAGES_QUEUED, times=promoted))
        return promoted


def recover_leases() -> int:
    """Messages whose worker has gone are looked up before anything else happens to them; how many."""
    with transaction():
        now = database_now()
        gone = list(
            db.session.scalars(
                select(Message.id).where(Message.status == Status.SENDING, Message.lease_until < now).limit(AT_ONCE)
            )
        )
        for message_id in gone:
            _recover(message_id, now)
        return len(gone)


def _recover(message_id: int, now: datetime) -> None:
    unfinished = (Attempt.message_id == message_id) & Attempt.finished_at.is_(None)
    started = db.session.scalar(select(Attempt.started_at).where(unfinished).order_by(Attempt.id.desc()).limit(1))
    message = db.session.scalar(
        select(Message)
        .where(Message.id == message_id, Message.status == Status.SENDING, Message.lease_until < now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if message is None:
        return
    db.session.execute(update(Attempt).where(unfinished).values(finished_at=now, outcome=Outcome.UNCLEAR))
    message.claim_id = message.lease_until = None
    message.first_unclear_at = message.first_unclear_at or started or now
    if message.claims >= CLAIMS_MOST:
        message.status, message.error, message.error_code = Status.UNKNOWN, KILLS, "POISON"
    else:
        message.status, message.next_step, message.next_attempt_at = Status.QUEUED, Step.LOOK_UP, now
    conversations.changed([message.conversation_id])


def give_up_chores() -> int:
    """Chores that five workers didn't survive: failed when nothing was ever sent, else unknown; how many."""
    with transaction():
        now = database_now()
        poison = (
            (Message.status == Status.QUEUED)
            & (Message.next_step != Step.SEND)
            & (Message.claims >= CLAIMS_MOST)
            & (Message.lease_until <= now)
        )
        tried = select(Attempt.id).where(Attempt.message_id == Message.id).exists()
        end = {"claim_id": None, "lease_until": None, "error": KILLS, "error_code": "POISON"}
        failed = _change(update(Message).where(poison, ~tried).values(status=Status.FAILED, failed_at=now, **end))
        on_commit(partial(metrics.record, Metric.MESSAGES_FAILED, times=failed))
        return failed + _change(update(Message).where(poison, tried).values(status=Status.UNKNOWN, **end))


def expire_unclear() -> int:
    """Messages that have been unclear for 23 h become unknown: the platform forgets keys after 24 h; how many."""
    with transaction():
        now = database_now()
        old = (
            select(Message.id)
            .where(Message.status == Status.QUEUED, Message.first_unclear_at < now - KEY_KEPT)
            .limit(AT_ONCE)
        )
        return _change(
            update(Message)
            .where(Message.id.in_(old), Message.status == Status.QUEUED)
            .values(status=Status.UNKNOWN, claim_id=None, lease_until=None, error=TOO_OLD, error_code="KEY_EXPIRED")
        )


def _change(statement: Update) -> int:
    changed = list(db.session.scalars(statement.returning(Message.conversation_id)))
    if changed:
        conversations.changed(sorted(set(changed)))
    return len(changed)
