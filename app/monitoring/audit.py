"""Who did what: the audit log, and the messages that people wrote one by one, as one list by time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, text

from app.accounts import queries as accounts
from app.accounts.models import AuditEvent, Role, User
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import WRITTEN, Message

PAGE = 50
WROTE = "message.written"
# Of two things at the same moment the one from the audit log comes first.
MESSAGE, EVENT = 0, 1
# Details that are ids of users.
NAMED = ("manager_id", "created_id", "disabled_id", "assigned_id")
Cursor = tuple[datetime, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that somebody did; `user_id` None: at the command line, or by itself. `details` hold no texts."""

    place: Cursor
    user_id: int | None
    account_id: int | None
    action: str
    details: dict[str, str | int] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """When."""
        return self.place[0]


def log(viewer: User, account_id: int | None = None, before: Cursor | None = None) -> list[Entry]:
    """The newest 50 entries, one more when there are more, before the cursor.

    For people: what was done on their accounts, or the named one, and to their own sign-in. For operators: all but
    the messages, which they don't see. Raises NotFound for somebody else's account.
    """
    if viewer.role == Role.OPERATOR:
        return _events([], before) if account_id is None else []
    if account_id is not None:
        ids = [accounts.account(viewer, account_id).id]
    else:
        ids = [account.id for account in accounts.visible(viewer)]
    entries = _events([AuditEvent.account_id.in_(ids)], before) + _messages(ids, before)
    if account_id is None:
        entries += _events([AuditEvent.user_id == viewer.id, AuditEvent.account_id.is_(None)], before)
    return sorted(entries, key=lambda entry: entry.place, reverse=True)[: PAGE + 1]


def people(entries: Iterable[Entry]) -> dict[int, str]:
    """User id → name, of those who did something and those whom it was done to."""
    named = {entry.user_id for entry in entries} | {
        value for entry in entries for key, value in entry.details.items() if key in NAMED and isinstance(value, int)
    }
    return accounts.names({user_id for user_id in named if user_id is not None})


def _events(conditions: list[ColumnElement[bool]], before: Cursor | None) -> list[Entry]:
    query = select(AuditEvent).where(*conditions, _older(AuditEvent.at, AuditEvent.id, EVENT, before))
    rows = db.session.scalars(query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(PAGE + 1))
    return [Entry((row.at, EVENT, row.id), row.user_id, row.account_id, row.action, row.details) for row in rows]


def _messages(account_ids: list[int], before: Cursor | None) -> list[Entry]:
    columns = (Message.id, Message.created_at, Message.author_id, Message.account_id, Message.conversation_id, Fan.name)
    # Written as the index's own condition is.
    query = (
        select(*columns).join(Fan, Fan.id == Message.fan_id).where(Message.account_id.in_(account_ids), text(WRITTEN))
    )
    query = query.where(_older(Message.created_at, Message.id, MESSAGE, before))
    rows = db.session.execute(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(PAGE + 1))
    return [
        Entry(
            (row.created_at, MESSAGE, row.id),
            row.author_id,
            row.account_id,
            WROTE,
            {"fan": row.name, "conversation_id": row.conversation_id},
        )
        for row in rows
    ]


def _older(at: Any, row_id: Any, kind: int, before: Cursor | None) -> ColumnElement[bool]:
    """Whether a row of this kind comes after the cursor in the list."""
    if before is None:
        return and_(True)
    moment, cursors_kind, cursors_id = before
    if kind == cursors_kind:
        return or_(at < moment, and_(at == moment, row_id < cursors_id))
    return or_(at < moment, at == moment if kind < cursors_kind else false())
