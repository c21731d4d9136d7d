"""Reads of messages for people."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, tuple_

from app.accounts import queries as accounts
from app.accounts.models import User
from app.clock import now
from app.conversations.models import Conversation
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
        query = query.where(tuple_(Message.created_at, Message.id) < tuple_(*before))
    return list(db.session.scalars(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)))


def counts(viewer: User) -> dict[str, int]:
    """How many of the viewer's messages are `queued` (scheduled ones left out), `sending` and `failed` (not retried)."""
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
