"""Pages and counts of messages for the JSON door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, Table, Text, bindparam, func, select, tuple_
from sqlalchemy import cast as as_text

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.accounts.tokens import Proof, lasts
from app.clock import now
from app.conversations.models import Conversation
from app.db import BigId, UtcDateTime, Written, moment_of
from app.errors import NotFound
from app.extensions import db
from app.messages.models import Message, Status
from app.reads import glance, read

LISTED = timedelta(days=7)
ID_DIGITS = 18
SHOWN = (
    "id",
    "public_id",
    "conversation_id",
    "fan_id",
    "direction",
    "status",
    "text",
    "price_cents",
    "attachments",
    "read",
    "error",
    "created_at",
    "sent_at",
)
"""The columns of a message that people see."""

Cursor = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Thread:
    """Messages, newest first; `following` is where the next page begins, None on the last one.

    A row is what SHOWN names, times and attachments as text, and then how many there are in all.
    """

    rows: Sequence[Row[Any]]
    total: int
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Failed messages, each with its account's owner, the newest first."""

    rows: list[tuple[Message, int]]
    total: int


def thread(proof: Proof, conversation_id: int, limit: int, offset: int, before: Cursor | None) -> Thread:
    """One page of a conversation in one query (one more beyond the end); NotFound when it isn't the viewer's."""
    values: dict[str, Any] = {"conversation": conversation_id, "viewer": proof.viewer}
    page = values | {"limit": limit + 1, "offset": offset}
    if before is not None:
        page |= {"moment": before[0], "id": before[1]}
    found = read(_thread(before is not None), page)
    if not found:
        return Thread([], _count(values), None)
    shown = found[:limit]
    following = (moment_of(shown[-1].moment), shown[-1].id) if len(found) > limit else None
    return Thread(shown, found[0].total, following)


def thread_state(proof: Proof, conversation_id: int) -> tuple[int, int] | None:
    """What differs once any page of the conversation would: one query, which also asks whether the proof holds.

    None when it doesn't, and when the conversation isn't theirs.
    """
    return next(iter(glance(_thread_state(), proof.values() | {"conversation": conversation_id})), None)


@cache
def _thread_state() -> Select[int, int]:
    return select(Conversation.version, Conversation.unread_count).where(*_theirs(), lasts())


def _count(values: dict[str, Any]) -> int:
    counted = read(_total(), values)
    if not counted:
        raise NotFound("Conversation not found")
    return counted[0][0]


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _total() -> Select[int]:
    """The number of messages, from an index alone; no row for a conversation that isn't the viewer's."""
    counted = select(func.count()).select_from(Message).where(Message.conversation_id == Conversation.id)
    return select(counted.correlate(Conversation).scalar_subquery()).where(*_theirs())


@cache
def _thread(further: bool) -> Select[Any]:
    columns = cast(Table, Message.__table__).c
    shown: dict[str, ColumnElement[Any]] = {name: columns[name] for name in SHOWN}
    for name in ("created_at", "sent_at"):
        shown[name] = Written(columns[name])
    # As the text that is kept: nearly all have none, and needn't be parsed.
    shown["attachments"] = as_text(columns.attachments, Text)
    moment, total = as_text(columns.created_at, Text).label("moment"), _total().scalar_subquery().label("total")
    theirs = select(Conversation.id).where(*_theirs()).scalar_subquery()
    query: Select[Any] = select(*shown.values(), moment, total).where(Message.conversation_id == theirs)
    if further:
        place = tuple_(bindparam("moment", type_=UtcDateTime), bindparam("id", type_=BigId))
        query = query.where(tuple_(Message.created_at, Message.id) < place)
    newest_first = query.order_by(Message.created_at.desc(), Message.id.desc())
    return newest_first.limit(bindparam("limit")).offset(bindparam("offset"))


def _theirs() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    mine = Conversation.account_id.in_(accounts.scope())
    return Conversation.id == bindparam("conversation", type_=BigId), mine


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
