"""What is done to all messages of a campaign at once: written, held, let go, canceled, sent again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

from sqlalchemy import ColumnElement, Select, Update, case, func, literal_column, select, update

from app.clock import now
from app.conversations import bulk as threads
from app.conversations import service as conversations
from app.db import insert_unless_there, on_commit, transaction
from app.extensions import db
from app.fans.models import Fan
from app.gateways import metrics
from app.gateways.metrics import Metric
from app.messages.models import Message, Status, Step
from app.messages.rules import Draft
from app.messages.service import new_public_id

AT_ONCE = 1000
MAY_STILL_GO = (Status.SCHEDULED, Status.QUEUED, Status.SENDING)


@dataclass(frozen=True, slots=True)
class Batch:
    """What messages written at once have in common; `draft.text` is each one's own. `held`: they don't go yet."""

    account_id: int
    campaign_id: int
    author_id: int
    draft: Draft
    held: bool
    at: datetime


def write(batch: Batch, texts: dict[int, str]) -> None:
    """Write the rows that promise delivery of `texts` (fan id → text), one for each fan however often it is called."""
    if not texts:
        return
    with transaction():
        thread_of = threads.open_with(batch.account_id, list(texts))
        rows = [_row(batch, fan_id, thread_of[fan_id], texts[fan_id]) for fan_id in texts]
        insert_unless_there(Message, rows)
        threads.touch({thread_of[fan_id]: text for fan_id, text in texts.items()}, now())
        queued = sum(row["status"] == Status.QUEUED for row in rows)
        on_commit(partial(metrics.record, Metric.MESSAGES_QUEUED, times=queued))
        on_commit(partial(metrics.record, Metric.CAMPAIGN_RECIPIENTS, times=len(rows)))


def _row(batch: Batch, fan_id: int, conversation_id: int, text: str) -> dict[str, object]:
    draft = batch.draft
    later = draft.scheduled_at is not None and draft.scheduled_at > batch.at
    return {
        "public_id": new_public_id(),
        "account_id": batch.account_id,
        "conversation_id": conversation_id,
        "fan_id": fan_id,
        "campaign_id": batch.campaign_id,
        "author_id": batch.author_id,
        "direction": "out",
        "status": Status.SCHEDULED if later else Status.QUEUED,
        "priority": draft.priority,
        "text": text,
        "price_cents": draft.price_cents,
        "attachments": list(draft.attachments),
        "next_step": Step.UPLOAD if draft.attachments else Step.SEND,
        "held": batch.held,
        "created_at": now(),
        "due_at": draft.scheduled_at if later else batch.at,
        "queued_at": None if later else now(),
    }


def unpublished(campaign_id: int, most: int) -> list[int]:
    """Ids of the campaign's queued messages that aren't on SQS yet, the first ones first."""
    query = (
        select(Message.id)
        .where(Message.campaign_id == campaign_id, Message.status == Status.QUEUED, Message.published_at.is_(None))
        .order_by(Message.id)
        .limit(most)
    )
    return list(db.session.scalars(query))


def hold(campaign_id: int) -> None:
    """None of the campaign's messages goes any more until it is released; what is on its way arrives."""
    _change(campaign_id, update(Message).where(Message.status.in_(MAY_STILL_GO)).values(held=True))


def release(campaign_id: int, due_at: datetime | None = None) -> None:
    """The campaign's messages go on, from the place in line that they had or else that of `due_at`."""
    waiting = Message.held & Message.status.in_(MAY_STILL_GO)
    # The time that it was held is no latency of delivery.
    queued_at = case((Message.status == Status.QUEUED, now()), else_=Message.queued_at)
    values = {"held": False, "queued_at": queued_at} | ({"due_at": due_at} if due_at else {})
    _change(campaign_id, update(Message).where(waiting).values(values))


def due_before(moment: datetime) -> Select[int]:
    """Ids of the campaigns of which messages are scheduled for before that moment and aren't held."""
    return (
        select(cast(ColumnElement[int], Message.campaign_id))
        .where(Message.status == Status.SCHEDULED, Message.due_at < moment)
        .where(Message.campaign_id.is_not(None), ~Message.held)
    )


def in_line() -> Select[int]:
    """Ids of the campaigns of which messages are queued and aren't held."""
    # Written as the index's own condition is, or SQLite doesn't use it.
    queued: ColumnElement[bool] = literal_column("message.status = 'queued' AND NOT message.held")
    return select(cast(ColumnElement[int], Message.campaign_id)).where(queued, Message.campaign_id.is_not(None))


def cancel(campaign_id: int) -> None:
    """Take back what can't have arrived; the rest is held, so that it is looked up but not tried again."""
    hold(campaign_id)
    _cancel(Message.campaign_id == campaign_id, Message.first_unclear_at.is_(None))


def cancel_queued() -> int:
    """Take back everybody's queued messages that can't have arrived; how many."""
    canceled = 0
    where = (Message.status == Status.QUEUED, Message.first_unclear_at.is_(None))
    last = db.session.scalar(select(func.max(Message.id)).where(*where)) or 0
    for _ in range(last // AT_ONCE + 1):
        with transaction():
            some = select(Message.id).where(*where, Message.id <= last).order_by(Message.id).limit(AT_ONCE)
            changed = _cancel(Message.id.in_(some), *where)
        canceled += changed
        if not changed:
            break
    return canceled


def cancel_known(campaign_ids: Sequence[int]) -> None:
    """Of canceled campaigns: take back what came back into line since, now that it is known not to have arrived."""
    if campaign_ids:
        _cancel(Message.campaign_id.in_(campaign_ids), Message.next_step == Step.SEND, Message.held.is_(True))


def _cancel(*where: ColumnElement[bool]) -> int:
    waiting = Message.status.in_([Status.SCHEDULED, Status.QUEUED])
    with transaction():
        canceled = db.session.scalars(
            update(Message)
            .where(waiting, *where)
            .values(status=Status.CANCELED)
            .returning(Message.conversation_id)
            .execution_options(synchronize_session=False)
        ).all()
        _tell(canceled)
        return len(canceled)


def _change(campaign_id: int, statement: Update) -> None:
    with transaction():
        _tell(
            db.session.scalars(
                statement.where(Message.campaign_id == campaign_id)
                .returning(Message.conversation_id)
                .execution_options(synchronize_session=False)
            )
        )


def _tell(conversation_ids: Iterable[int]) -> None:
    found = sorted(set(conversation_ids))
    for start in range(0, len(found), AT_ONCE):
        conversations.changed(found[start : start + AT_ONCE])


def retry_failed(campaign_id: int, author_id: int) -> int:
    """Queue the campaign's failed messages again as new ones, but for fans that can't be reached; how many."""
    later = Message.__table__.alias("later")
    with transaction():
        failed = db.session.scalars(
            select(Message)
            .join(Fan, Fan.id == Message.fan_id)
            .where(Message.campaign_id == campaign_id, Message.status == Status.FAILED)
            .where(Fan.unreachable_at.is_(None), Fan.removed_at.is_(None))
            .where(~select(later.c.id).where(later.c.retry_of_id == Message.id).exists())
            .order_by(Message.id)
        ).all()
        send_again(failed, author_id)
        return len(failed)


def send_again(old: Sequence[Message], author_id: int) -> list[int]:
    """Queue new messages in the place of these, in the caller's transaction; the new ones' ids, in the same order."""
    if not old:
        return []
    rows = [_again(message, author_id) for message in old]
    insert_unless_there(Message, rows)
    _tell(message.conversation_id for message in old)
    on_commit(partial(metrics.record, Metric.MESSAGES_QUEUED, times=len(rows)))
    new_ids: list[int] = []
    for start in range(0, len(rows), AT_ONCE):
        names = [row["public_id"] for row in rows[start : start + AT_ONCE]]
        new_ids += db.session.scalars(select(Message.id).where(Message.public_id.in_(names)).order_by(Message.id))
    return new_ids


def _again(old: Message, author_id: int) -> dict[str, object]:
    return {
        "public_id": new_public_id(),
        "account_id": old.account_id,
        "conversation_id": old.conversation_id,
        "fan_id": old.fan_id,
        "campaign_id": old.campaign_id,
        "author_id": author_id,
        "retry_of_id": old.id,
        "direction": "out",
        "status": Status.QUEUED,
        "priority": old.priority,
        "text": old.text,
        "price_cents": old.price_cents,
        "attachments": old.attachments,
        "next_step": Step.UPLOAD if old.attachments else Step.SEND,
        "created_at": now(),
        "due_at": now(),
        "queued_at": now(),
    }
