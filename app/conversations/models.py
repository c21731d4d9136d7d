"""The conversation: what the inbox lists; and the replies that its account's people keep for it."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model
from app.fans.models import Fan

SHORTCUT_LENGTH = 40
FIRST_VERSIONS = 1_000_000_000


def _only(where: str) -> dict[str, Any]:
    condition = text(where)
    return {"sqlite_where": condition, "postgresql_where": condition}


class Conversation(Model):
    """The thread of one account with one fan; `last_message` is the beginning of the newest text.

    `last_direction`: who wrote it, `in` when an answer is waited for. `version` grows with everything that its page
    would show but `unread_count`, so that a poll can tell "nothing new"; it begins anywhere, because SQLite gives the
    last id again once it is free. `read_due_at`: it was read here, and from then on the platform is to be told.
    """

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("account_id", "fan_id"),
        Index("ix_conversation_read_due", "read_due_at", **_only("read_due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id"), index=True)
    last_message_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_message: Mapped[str] = mapped_column(String(200), default="")
    last_direction: Mapped[str | None] = mapped_column(String(3))
    unread_count: Mapped[int] = mapped_column(default=0)
    read_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=lambda: secrets.randbelow(FIRST_VERSIONS))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    fan: Mapped[Fan] = relationship(lazy="raise")


# Read backwards they are the inbox: the newest first, silent conversations last.
_inbox = (Conversation.account_id, Conversation.last_message_at.nulls_first(), Conversation.id)
Index("ix_conversation_newest", *_inbox)
Index("ix_conversation_unread", *_inbox, **_only("unread_count > 0"))
Index("ix_conversation_waiting", *_inbox, **_only("last_direction = 'in'"))


class SavedReply(Model):
    """A text that an account's people insert with `/` and its shortcut; `{{name}}` in it becomes the fan's name."""

    __tablename__ = "saved_reply"
    __table_args__ = (UniqueConstraint("account_id", "shortcut"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    shortcut: Mapped[str] = mapped_column(String(SHORTCUT_LENGTH))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)
