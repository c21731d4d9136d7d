"""Reads of conversations for people."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, literal_column, select, true, tuple_
from sqlalchemy.orm import contains_eager

from app.accounts import queries as accounts
from app.accounts.models import User
from app.conversations.models import Conversation, SavedReply
from app.errors import NotFound
from app.extensions import db
from app.fans.models import Fan

PAGE = 50
REPLIES_MOST = 200
HIGH_SPEND_CENTS = 20_000
NEWEST_FIRST = (Conversation.last_message_at.desc().nulls_last(), Conversation.id.desc())


class Show(StrEnum):
    """Which conversations: all, those with something unread, of fans who spent much, or in which the fan wrote last."""

    ALL = ""
    UNREAD = "unread"
    SPENDERS = "spenders"
    WAITING = "waiting"


# Two are written as their indexes' own conditions are, or SQLite doesn't use them.
CONDITIONS: dict[Show, ColumnElement[bool]] = {
    Show.ALL: true(),
    Show.UNREAD: literal_column("conversation.unread_count > 0"),
    Show.SPENDERS: Fan.value_cents >= HIGH_SPEND_CENTS,
    Show.WAITING: literal_column("conversation.last_direction = 'in'"),
}
Cursor = tuple[datetime | None, int]


def inbox(
    viewer: User,
    show: Show = Show.ALL,
    search: str = "",
    offset: int = 0,
    limit: int = PAGE,
    *,
    account_id: int | None = None,
    before: Cursor | None = None,
) -> list[Conversation]:
    """The viewer's conversations with their fans, newest first; `before` (lastMessageAt, id) pages on."""
    query = _visible(viewer).where(CONDITIONS[show])
    if account_id is not None:
        query = query.where(Conversation.account_id == account_id)
    words = search.replace("\x00", "").strip()
    if words:
        handle = Fan.handle.icontains(words.lstrip("@"), autoescape=True)
        query = query.where(Fan.name.icontains(words, autoescape=True) | handle)
    if before is not None:
        query = query.where(_older_than(before))
    return list(db.session.scalars(query.order_by(*NEWEST_FIRST).offset(offset).limit(limit)))


def _older_than(cursor: Cursor) -> ColumnElement[bool]:
    moment, conversation_id = cursor
    silent = Conversation.last_message_at.is_(None)
    if moment is None:
        return silent & (Conversation.id < conversation_id)
    return silent | (tuple_(Conversation.last_message_at, Conversation.id) < tuple_(moment, conversation_id))


def count_unread(viewer: User, account_id: int) -> int:
    """How many conversations of the account wait to be read; 0 for one that isn't the viewer's."""
    query = select(func.count()).select_from(Conversation)
    query = query.where(Conversation.account_id == account_id, CONDITIONS[Show.UNREAD])
    return db.session.execute(query.where(Conversation.account_id.in_(accounts.visible_ids(viewer)))).scalar_one()


def conversation(viewer: User, conversation_id: int) -> Conversation:
    """One conversation with its fan; raises NotFound when it isn't the viewer's."""
    found = db.session.scalar(_visible(viewer).where(Conversation.id == conversation_id))
    if found is None:
        raise NotFound("Conversation not found")
    return found


def of_fan(viewer: User, fan_id: int) -> int | None:
    """The id of the viewer's conversation with this fan, or None."""
    mine = Conversation.account_id.in_(accounts.visible_ids(viewer))
    return db.session.scalar(select(Conversation.id).where(Conversation.fan_id == fan_id, mine))


def saved_replies(viewer: User, account_id: int) -> list[SavedReply]:
    """The account's saved replies by their shortcuts, never more than can be saved; none when it isn't the viewer's."""
    mine = SavedReply.account_id.in_(accounts.visible_ids(viewer))
    query = select(SavedReply).where(SavedReply.account_id == account_id, mine)
    return list(db.session.scalars(query.order_by(SavedReply.shortcut).limit(REPLIES_MOST)))


def saved_reply(viewer: User, reply_id: int) -> SavedReply:
    """One saved reply; raises NotFound when it isn't the viewer's."""
    mine = SavedReply.account_id.in_(accounts.visible_ids(viewer))
    found = db.session.scalar(select(SavedReply).where(SavedReply.id == reply_id, mine))
    if found is None:
        raise NotFound("Saved reply not found")
    return found


def _visible(viewer: User) -> Select[Conversation]:
    return (
        select(Conversation)
        .join(Conversation.fan)
        .options(contains_eager(Conversation.fan))
        .where(Conversation.account_id.in_(accounts.visible_ids(viewer)))
    )
