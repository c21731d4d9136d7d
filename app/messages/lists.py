"""Pages and counts of messages for the JSON door."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, tuple_

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.clock import now
from app.conversations.models import Conversation
from app.errors import NotFound
from app.extensions import db
from app.messages.models import Message, Status

LISTED = timedelta(days=7)
ID_DIGITS = 18
Cursor = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Thread:
    """Messages, newest first; `following` is where the next page begins, None on the last one."""

    messages: list[Message]
    total: int
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Failed messages, each with its account's owner, the newest first."""

    rows: list[tuple[Message, int]]
    total: int


def thread(viewer: User, conversation_id: int, limit: int, offset: int, before: Cursor | None) -> Thread:
    """One page of a conversation in two queries; raises NotFound when it isn't the viewer's."""
    counted = select(func.count()).select_from(Message).where(Message.conversation_id == Conversation.id)
    visible = Conversation.account_id.in_(accounts.visible_ids(viewer))
    total = db.session.scalar(
        select(counted.correlate(Conversation).scalar_subquery()).where(Conversation.id == conversation_id, visible)
    )
    if total is None:
        raise NotFound("Conversation not found")
    query = select(Message).where(Message.conversation_id == conversation_id)
    if before is not None:
        query = query.where(tuple_(Message.created_at, Message.id) < tuple_(*before))
    newest_first = query.order_by(Message.created_at.desc(), Message.id.desc())
    found = list(db.session.scalars(newest_first.limit(limit + 1).offset(offset)))
    shown = found[:limit]
    following = (shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return Thread(shown, total, following)


def failed(viewer: User, account_id: int | None, limit: int, offset: int) -> Failed:
    """What failed in the last 7 days and wasn't retried; raises NotFound for an account that isn't the viewer's."""
    where = _mine(viewer, account_id)
    where += [Message.status == Status.FAILED, Message.failed_at >= now() - LISTED, ~_retried()]
    total = db.session.execute(select(func.count()).select_from(Message).where(*where)).scalar_one()
    if total == 0 and account_id is not None:
        accounts.account(viewer, account_id)
    query = (
        select(Message, Account.owner_id)
        .join(Account, Account.id == Message.account_id)
        .where(*where)
        .order_by(Message.failed_at.desc(), Message.id.desc())
        .limit(limit)
        .offset(offset)
    )
    rows = db.session.execute(query).all() if total > offset else []
    return Failed([(row.Message, row.owner_id) for row in rows], total)


def failed_ever(viewer: User) -> int:
    """How many of the viewer's messages failed, those that were retried included."""
    where = [*_mine(viewer, None), Message.status == Status.FAILED]
    return db.session.execute(select(func.count()).select_from(Message).where(*where)).scalar_one()


def resolve(viewer: User, reference: str) -> int:
    """The integer id of an outgoing message of the viewer's by that id or its `msg_…`; raises NotFound."""
    numeric = reference.isascii() and reference.isdigit() and len(reference) <= ID_DIGITS
    same = Message.id == int(reference) if numeric else Message.public_id == reference
    found = db.session.scalar(select(Message.id).where(same, Message.direction == "out", *_mine(viewer, None)))
    if found is None:
        raise NotFound("Message not found")
    return found


def _mine(viewer: User, account_id: int | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Message.account_id.in_(accounts.visible_ids(viewer))]
    return found if account_id is None else [*found, Message.account_id == account_id]


def _retried() -> ColumnElement[bool]:
    later = Message.__table__.alias("later")
    return select(later.c.id).where(later.c.retry_of_id == Message.id).exists()
