"""Reads of messages for people."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, func, literal, literal_column, select, tuple_

from app.accounts import queries as accounts
from app.accounts.models import User
from app.clock import now
from app.conversations.models import Conversation
from app.db import UtcDateTime
from app.errors import NotFound
from app.extensions import db
from app.messages.models import Message, Status

PAGE = 100


def thread(
    viewer: User, conversation_id: int, before: tuple[datetime, int] | None = None, limit: int = PAGE
) -> list[Message]:
    """The newest messages of a conversation, newest first; `before` (createdAt, id) pages back. Raises NotFound."""
    owned = select(Conversation.id).where(
        Conversation.id == conversation_id, Conversation.account_id.in_(accounts.visible_ids(viewer))
    )
    if db.session.scalar(owned) is None:
        raise NotFound("Conversation not found")
    query = select(Message).where(Message.conversation_id == conversation_id)
    if before is not None:
        place = (literal(before[0], UtcDateTime), literal(before[1]))
        query = query.where(tuple_(Message.created_at, Message.id) < tuple_(*place))
    return list(db.session.scalars(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)))


def some(viewer: User, conversation_id: int, message_ids: Collection[int]) -> list[Message]:
    """Those of a conversation's messages that have one of these ids; none of a conversation that isn't the viewer's."""
    query = (
        select(Message)
        .where(Message.id.in_(message_ids), Message.conversation_id == conversation_id)
        .where(Message.account_id.in_(accounts.visible_ids(viewer)))
    )
    return list(db.session.scalars(query)) if message_ids else []


def resent(message_ids: Collection[int]) -> set[int]:
    """Which of these messages were sent again as new ones."""
    query = select(Message.retry_of_id).where(Message.retry_of_id.in_(message_ids))
    return {old for old in db.session.scalars(query) if old is not None} if message_ids else set()


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody wrote to a fan: who, when, and the message's id."""

    name: str
    at: datetime
    message_id: int


def answer_of_another(viewer: User, conversation_id: int, since: tuple[datetime | None, int] | None) -> Answer | None:
    """The newest message after `since` (createdAt, id) that another person wrote by hand; None when there is none."""
    query = (
        select(User.name, Message.created_at, Message.id)
        .join(User, User.id == Message.author_id)
        .where(Message.conversation_id == conversation_id, Message.direction == "out", Message.campaign_id.is_(None))
        .where(Message.author_id != viewer.id, Message.status != Status.CANCELED)
        .where(Message.account_id.in_(accounts.visible_ids(viewer)))
    )
    moment, last_id = since or (None, 0)
    if moment is not None:
        place = (literal(moment, UtcDateTime), literal(last_id))
        query = query.where(tuple_(Message.created_at, Message.id) > tuple_(*place))
    row = db.session.execute(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(1)).first()
    return Answer(row.name, row.created_at, row.id) if row else None


def line(account_id: int) -> tuple[int, Message | None]:
    """How many messages of the account wait for their turn, and the last of them."""
    where = in_line(account_id)
    waiting = db.session.execute(select(func.count()).select_from(Message).where(*where)).scalar_one()
    order = (Message.priority.desc(), Message.due_at.desc(), Message.id.desc())
    last = db.session.scalar(select(Message).where(*where).order_by(*order).limit(1)) if waiting else None
    return waiting, last


def in_line(account: int | SQLColumnExpression[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What makes a message one of those that wait for their turn."""
    # Written as the index's own condition is, or SQLite doesn't use it.
    queued: ColumnElement[bool] = literal_column("message.status = 'queued' AND NOT message.held")
    return Message.account_id == account, queued


def counts(viewer: User) -> dict[str, int]:
    """How many of the viewer's messages are `queued` (not `scheduled`), `sending` and `failed` (not retried)."""
    return {
        "queued": _count(viewer, Message.status == Status.QUEUED),
        "sending": _count(viewer, Message.status == Status.SENDING),
        "failed": _count(viewer, Message.status == Status.FAILED, ~_retried()),
    }


def _count(viewer: User, *where: ColumnElement[bool]) -> int:
    query = (
        select(func.count()).select_from(Message).where(Message.account_id.in_(accounts.visible_ids(viewer)), *where)
    )
    return db.session.execute(query).scalar_one()


def _retried() -> ColumnElement[bool]:
    later = Message.__table__.alias("later")
    return select(later.c.id).where(later.c.retry_of_id == Message.id).exists()


def recent_latency(viewer: User, period: timedelta = timedelta(hours=1)) -> tuple[int | None, datetime | None]:
    """Mean milliseconds from queued to sent over the last `period`, and when the last message was sent."""
    mine = Message.account_id.in_(accounts.visible_ids(viewer))
    sent = db.session.execute(
        select(Message.queued_at, Message.sent_at)
        .where(mine, Message.status == Status.SENT, Message.sent_at >= now() - period)
        .order_by(Message.sent_at.desc())
        .limit(1000)
    ).all()
    last = db.session.scalar(select(func.max(Message.sent_at)).where(mine, Message.status == Status.SENT))
    latencies = [(row.sent_at - row.queued_at).total_seconds() * 1000 for row in sent if row.queued_at]
    return (round(sum(latencies) / len(latencies)) if latencies else None), last
