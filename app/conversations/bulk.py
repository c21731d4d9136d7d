"""What is done to many conversations of an account at once, in the same number of queries however many they are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, or_, select

from app.conversations.models import Conversation
from app.conversations.service import PREVIEW_LENGTH, changed
from app.db import insert_unless_there, transaction
from app.extensions import db

_conversations = cast(Table, Conversation.__table__)
# Where somebody waits for an answer their words stay in view: what goes to many is none.
TOUCH = (
    _conversations.update()
    .where(_conversations.c.id == bindparam("conversation"))
    .where(or_(_conversations.c.last_direction.is_(None), _conversations.c.last_direction != "in"))
    .where(or_(_conversations.c.last_message_at.is_(None), _conversations.c.last_message_at <= bindparam("at")))
    .values(
        last_message=bindparam("text"),
        last_message_at=bindparam("at"),
        last_direction="out",
    )
)


def open_with(account_id: int, fan_ids: Sequence[int]) -> dict[int, int]:
    """Fan id → conversation id, those made that weren't there. Safe when called twice at once."""
    query = select(Conversation.fan_id, Conversation.id)
    query = query.where(Conversation.account_id == account_id, Conversation.fan_id.in_(fan_ids))
    with transaction():
        found = {row.fan_id: row.id for row in db.session.execute(query)}
        # In one order everywhere: two who write to the same fans at once would wait for each other for ever.
        missing = [{"account_id": account_id, "fan_id": fan_id} for fan_id in sorted(set(fan_ids) - found.keys())]
        if missing:
            insert_unless_there(Conversation, missing)
            found = {row.fan_id: row.id for row in db.session.execute(query)}
        return found


def touch(texts: Mapping[int, str], at: datetime) -> None:
    """Something was written to many (conversation id → text): each is its conversation's last message.

    Unless a newer one is there, or the fan waits for an answer.
    """
    with transaction():
        rows = [{"conversation": key, "text": text[:PREVIEW_LENGTH], "at": at} for key, text in sorted(texts.items())]
        db.session.connection().execute(TOUCH, rows)
        changed(sorted(texts))
