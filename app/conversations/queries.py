"""Reads of conversations for people."""

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager

from app.accounts import queries as accounts
from app.accounts.models import User
from app.conversations.models import Conversation
from app.errors import NotFound
from app.extensions import db
from app.fans.models import Fan

PAGE = 50


def inbox(
    viewer: User, unread: bool = False, search: str = "", offset: int = 0, limit: int = PAGE
) -> list[Conversation]:
    """The viewer's conversations with their fans, newest first."""
    query = _visible(viewer)
    if unread:
        query = query.where(Conversation.unread_count > 0)
    if search.strip():
        pattern = f"%{search.strip().lstrip('@')}%"
        query = query.where(Fan.name.icontains(search.strip(), autoescape=True) | Fan.handle.ilike(pattern))
    query = query.order_by(Conversation.last_message_at.desc().nulls_last(), Conversation.id.desc())
    return list(db.session.scalars(query.offset(offset).limit(limit)))


def conversation(viewer: User, conversation_id: int) -> Conversation:
    """One conversation with its fan; raises NotFound when it isn't the viewer's."""
    found = db.session.scalar(_visible(viewer).where(Conversation.id == conversation_id))
    if found is None:
        raise NotFound("Conversation not found")
    return found


def _visible(viewer: User) -> Select[Conversation]:
    return (
        select(Conversation)
        .join(Conversation.fan)
        .options(contains_eager(Conversation.fan))
        .where(Conversation.account_id.in_(accounts.visible_ids(viewer)))
    )
