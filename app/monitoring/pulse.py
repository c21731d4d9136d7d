"""Whether anything that an inbox page shows has changed: asked by every open browser every five seconds."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Row, Select, bindparam, func, select, true

from app.accounts import queries as accounts
from app.accounts import sessions
from app.accounts.models import Account, Role, User
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.db import BigId
from app.delivery import heartbeat
from app.delivery.models import Stop
from app.errors import NotFound
from app.extensions import db
from app.messages.models import Message
from app.messages.queries import in_line
from app.reads import read

INBOX = ("rows", "ids", "versions", "unread", "last")
LINE = ("head", "stop", "worker", "stopped_at", "paused_until", "reconnect_since")


@dataclass(frozen=True, slots=True)
class Pulse:
    """Three fingerprints of what an inbox page shows: each differs when its part of the page may look different."""

    inbox: str
    thread: int | None
    line: str


def pulse(viewer: User, account_id: int, conversation_id: int | None) -> Pulse:
    """The pulse of an account's inbox with one conversation open; raises NotFound when it isn't the viewer's."""
    asked = _values(account_id, conversation_id, {"viewer": viewer.id})
    found = _read(db.session.connection().execute(_for_viewer(), asked).first(), conversation_id)
    if found is None:
        raise NotFound("Conversation not found")
    return found


def poll(token: str, account_id: int, conversation_id: int | None) -> Pulse | None:
    """The same for whoever's live session this is, who is not looked at closer: one query over indexes answers both.

    None for somebody who is signed out, and for what isn't theirs.
    """
    asked = _values(account_id, conversation_id, sessions.proof(token))
    return _read(next(iter(read(_for_session(), asked)), None), conversation_id)


def _values(account_id: int, conversation_id: int | None, who: dict[str, Any]) -> dict[str, Any]:
    return who | {"account": account_id, "conversation": conversation_id, "beat_since": heartbeat.fresh_since()}


def _read(row: Row[Any] | None, conversation_id: int | None) -> Pulse | None:
    if row is None or (conversation_id is not None and row.thread is None):
        return None
    return Pulse(inbox=_fingerprint(row, INBOX), thread=row.thread, line=_fingerprint(row, LINE))


def _fingerprint(row: Row[Any], names: Iterable[str]) -> str:
    values = tuple(row._mapping[name] for name in names)
    return hashlib.sha256(repr(values).encode()).hexdigest()[:12]


# Built once each: SQLAlchemy takes longer to build them than a database to answer them.
@cache
def _for_viewer() -> Select[Any]:
    return _statement(bindparam("viewer", type_=BigId))


@cache
def _for_session() -> Select[Any]:
    return _statement(sessions.live_user().scalar_subquery())


def _statement(viewer: Any) -> Select[Any]:
    account, conversation = bindparam("account", type_=BigId), bindparam("conversation", type_=BigId)
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
    stop = select(Stop.id).where(Stop.id == 1)
    worker = heartbeat.is_alive("delivery", bindparam("beat_since"))
    # The scope is written for a person; here it is built once, for whoever asks.
    whoever = cast(User, SimpleNamespace(id=viewer, role=Role.MANAGER))
    return (
        select(thread.scalar_subquery().label("thread"), head.scalar_subquery().label("head"), inbox)
        .add_columns(stop.scalar_subquery().label("stop"), worker.label("worker"))
        .add_columns(Account.stopped_at, Account.paused_until, Account.reconnect_since)
        .select_from(Account)
        .join(inbox, true())
        .where(Account.id == account, Account.id.in_(accounts.visible_ids(whoever)))
    )
