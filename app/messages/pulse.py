"""Whether anything that an inbox page shows has changed: asked by every open browser every five seconds."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import cast

from sqlalchemy import Select, bindparam, func, select, true

from app.accounts import queries as accounts
from app.accounts.models import Account, Role, User
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.db import BigId
from app.errors import NotFound
from app.extensions import db
from app.messages.models import Message
from app.messages.queries import in_line


@dataclass(frozen=True, slots=True)
class Pulse:
    """Three fingerprints of what an inbox page shows: each differs when its part of the page may look different."""

    inbox: str
    thread: int | None
    line: str


def pulse(viewer: User, account_id: int, conversation_id: int | None) -> Pulse:
    """The pulse of an account's inbox with one conversation open, by a single query over indexes; raises NotFound."""
    values = {"viewer": viewer.id, "account": account_id, "conversation": conversation_id}
    row = db.session.connection().execute(_statement(), values).first()
    if row is None or (conversation_id is not None and row.thread is None):
        raise NotFound("Conversation not found")
    return Pulse(inbox=_fingerprint(row[2:7]), thread=row.thread, line=_fingerprint((*row[7:], row.head)))


def _fingerprint(values: Iterable[object]) -> str:
    return hashlib.sha256(repr(tuple(values)).encode()).hexdigest()[:12]


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _statement() -> Select[tuple[object, ...]]:
    viewer, account, conversation = (bindparam(name, type_=BigId) for name in ("viewer", "account", "conversation"))
    newest = (
        select(Conversation.id, Conversation.version, Conversation.unread_count, Conversation.last_message_at)
        .where(Conversation.account_id == account)
        .order_by(*conversations.NEWEST_FIRST)
        .limit(conversations.PAGE)
        .subquery()
    )
    inbox = select(
        func.count().label("rows"),
        func.sum(newest.c.id).label("ids"),
        func.sum(newest.c.version).label("versions"),
        func.sum(newest.c.unread_count).label("unread"),
        func.max(newest.c.last_message_at).label("last"),
    ).subquery()
    thread = select(Conversation.version).where(Conversation.id == conversation, Conversation.account_id == account)
    first_in_line = (Message.priority, Message.due_at, Message.id)
    head = select(Message.id).where(*in_line(account)).order_by(*first_in_line).limit(1)
    # The scope is written for a person; here it is built once, for whoever asks.
    whoever = cast(User, SimpleNamespace(id=viewer, role=Role.MANAGER))
    return (
        select(thread.scalar_subquery().label("thread"), head.scalar_subquery().label("head"), inbox)
        .add_columns(Account.stopped_at, Account.paused_until, Account.reconnect_since)
        .select_from(Account)
        .join(inbox, true())
        .where(Account.id == account, Account.id.in_(accounts.visible_ids(whoever)))
    )
