"""What is done to conversations."""

from collections.abc import Collection
from datetime import datetime
from typing import cast

from sqlalchemy import Select, Table, bindparam, case, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import queries as accounts
from app.accounts.models import User
from app.clock import now
from app.conversations import queries
from app.conversations.models import Conversation, SavedReply
from app.db import insert_unless_there, transaction
from app.errors import Conflict, NotFound
from app.extensions import db
from app.fans.models import Fan

PREVIEW_LENGTH = 200
_conversations = cast(Table, Conversation.__table__)
CHANGE = (
    _conversations.update()
    .where(_conversations.c.id.in_(bindparam("ids", expanding=True)))
    .values(version=_conversations.c.version + 1)
)
_newest = (_conversations.c.last_message_at.is_(None)) | (_conversations.c.last_message_at <= bindparam("at"))
TOUCH = (
    _conversations.update()
    .where(_conversations.c.id == bindparam("conversation"))
    .values(
        {
            column: case((_newest, bindparam(name, type_=column.type)), else_=column)
            for name, column in (
                ("text", _conversations.c.last_message),
                ("at", _conversations.c.last_message_at),
                ("by", _conversations.c.last_direction),
            )
        }
        | {_conversations.c.version: _conversations.c.version + 1}
    )
)


def open_with(fan: Fan) -> Conversation:
    """The conversation with `fan`, made when there is none. Safe when called twice at once."""
    query = select(Conversation).where(Conversation.account_id == fan.account_id, Conversation.fan_id == fan.id)
    with transaction():
        conversation = db.session.scalar(query)
        if conversation is None:
            insert_unless_there(Conversation, [{"account_id": fan.account_id, "fan_id": fan.id}])
            conversation = db.session.scalars(query).one()
        return conversation


def open_all(account_id: int, fan_ids: Collection[int]) -> dict[int, int]:
    """Fan id → id of their conversation with the account, made where there is none. Safe when called twice at once."""
    wanted = sorted(set(fan_ids))
    with transaction():
        found = _by_fan(account_id, wanted)
        missing = [fan_id for fan_id in wanted if fan_id not in found]
        if missing:
            insert_unless_there(Conversation, [{"account_id": account_id, "fan_id": fan_id} for fan_id in missing])
            found |= _by_fan(account_id, missing)
        return found


def _by_fan(account_id: int, fan_ids: Collection[int]) -> dict[int, int]:
    query = select(Conversation.fan_id, Conversation.id)
    query = query.where(Conversation.account_id == account_id, Conversation.fan_id.in_(fan_ids))
    return {row.fan_id: row.id for row in db.session.execute(query)}


def touch(conversation_id: int, text: str, at: datetime, direction: str = "out") -> None:
    """A message was added, `in` or `out`: it is the conversation's last one now, unless a newer one is there."""
    values = {"conversation": conversation_id, "text": text[:PREVIEW_LENGTH], "at": at, "by": direction}
    with transaction():
        db.session.connection().execute(TOUCH, values)


def changed(conversation_ids: list[int]) -> None:
    """Something that the conversation's page shows has changed."""
    with transaction():
        db.session.connection().execute(CHANGE, {"ids": conversation_ids})


def fans_changed(fan_ids: Collection[int] | Select[int]) -> None:
    """What their conversations show of these fans, name, handle or picture, has changed."""
    # In one order, fans first: others who change several wait instead of holding each other up.
    theirs = _conversations.c.fan_id.in_(fan_ids)
    shown = select(_conversations.c.id).where(theirs).order_by(_conversations.c.id).with_for_update(key_share=True)
    with transaction():
        db.session.flush()
        connection = db.session.connection()
        if connection.execute(shown).first() is not None:
            connection.execute(_conversations.update().where(theirs).values(version=_conversations.c.version + 1))


def mark_read(viewer: User, conversation_id: int) -> None:
    """The viewer has seen the conversation, and the platform is to be told; raises NotFound when it isn't theirs."""
    due = case((Conversation.unread_count > 0, now()), else_=Conversation.read_due_at)
    with transaction():
        changed_rows = db.session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, Conversation.account_id.in_(accounts.visible_ids(viewer)))
            .values(unread_count=0, read_due_at=due)
            .returning(Conversation.id)
        )
        if changed_rows.first() is None:
            raise NotFound("Conversation not found")


def save_reply(viewer: User, account_id: int, shortcut: str, text: str) -> SavedReply:
    """Keep a text under a shortcut; raises NotFound, or Conflict when the shortcut is taken or the list is full."""
    with transaction():
        account = accounts.account(viewer, account_id)
        kept = queries.saved_replies(viewer, account.id)
        if len(kept) >= queries.REPLIES_MOST:
            raise Conflict(f"{queries.REPLIES_MOST} replies are saved already: take one out first")
        _refuse_taken(kept, None, shortcut)
        reply = SavedReply(account_id=account.id, shortcut=shortcut, text=text)
        db.session.add(reply)
        _flush_reply(shortcut)
        return reply


def change_reply(viewer: User, reply_id: int, shortcut: str, text: str) -> SavedReply:
    """Give a saved reply another shortcut and text; raises NotFound, or Conflict when the shortcut is taken."""
    with transaction():
        reply = queries.saved_reply(viewer, reply_id)
        _refuse_taken(queries.saved_replies(viewer, reply.account_id), reply, shortcut)
        reply.shortcut, reply.text = shortcut, text
        _flush_reply(shortcut)
        return reply


def remove_reply(viewer: User, reply_id: int) -> SavedReply:
    """Take a saved reply out; raises NotFound when it isn't the viewer's."""
    with transaction():
        reply = queries.saved_reply(viewer, reply_id)
        db.session.delete(reply)
        return reply


def _refuse_taken(kept: list[SavedReply], reply: SavedReply | None, shortcut: str) -> None:
    if any(other is not reply and other.shortcut == shortcut for other in kept):
        raise Conflict(f"/{shortcut} is taken by another saved reply")


def _flush_reply(shortcut: str) -> None:
    try:
        db.session.flush()
    except IntegrityError:
        # Somebody else took it at the same moment.
        raise Conflict(f"/{shortcut} is taken by another saved reply") from None
