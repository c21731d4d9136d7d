"""Taking a fan out: with their conversation and messages, or without; the money that they paid stays counted."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Select, delete, select

from app.accounts.models import User
from app.accounts.service import audit
from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import database_now, transaction
from app.errors import Conflict
from app.extensions import db
from app.fans import queries as fans
from app.fans.models import Fan
from app.messages.models import Attempt, Message, Status

ON_THE_WAY = (Status.SCHEDULED, Status.QUEUED, Status.SENDING)
NAME = "Removed fan"


def remove_fan(viewer: User, fan_id: int) -> Fan:
    """Forget who a fan is and what was noted; the conversation and what they paid stay.

    Raises NotFound, or Conflict while messages are on the way.
    """
    with transaction():
        fan = fans.fan(viewer, fan_id).fan
        _refuse_while_on_the_way(fan)
        fan.name, fan.removed_at = NAME, now()
        fan.handle = fan.platform_id = fan.email = fan.avatar = fan.tier = None
        fan.tags, fan.notes = [], ""
        conversations.fans_changed([fan.id])
        audit("fan.removed", user=viewer, account_id=fan.account_id, fan_id=fan.id)
        db.session.flush()
        return fan


def erase_fan(viewer: User, fan_id: int, quiet: timedelta) -> None:
    """Delete a fan and all that was written; raises NotFound, or Conflict while messages are on the way.

    `quiet`: how long calls are remembered, because after a loss of Redis the limit is counted from them.
    """
    with transaction():
        fan = fans.fan(viewer, fan_id).fan
        written = _refuse_while_on_the_way(fan)
        recent = (Attempt.account_id == fan.account_id) & (Attempt.started_at > database_now() - quiet)
        if db.session.scalar(select(Attempt.id).where(recent, Attempt.fan_id == fan.id).limit(1)) is not None:
            raise Conflict("A message to this fan was sent a moment ago: try again in a few minutes")
        db.session.execute(delete(Attempt).where(Attempt.message_id.in_(select(Message.id).where(written))))
        db.session.execute(delete(Message).where(written))
        db.session.execute(delete(Conversation).where(Conversation.fan_id == fan.id))
        audit("fan.erased", user=viewer, account_id=fan.account_id, fan_id=fan.id)
        db.session.execute(delete(Fan).where(Fan.id == fan.id))


def _refuse_while_on_the_way(fan: Fan) -> ColumnElement[bool]:
    """Raises Conflict, else gives which messages are the fan's: by way of the conversation, which has the indexes."""
    written = Message.conversation_id.in_(_conversation_of(fan))
    if db.session.scalar(select(Message.id).where(written, Message.status.in_(ON_THE_WAY)).limit(1)) is not None:
        raise Conflict("Messages to this fan are on the way: cancel them, or wait until they have arrived")
    return written


def _conversation_of(fan: Fan) -> Select[int]:
    return select(Conversation.id).where(Conversation.fan_id == fan.id)
