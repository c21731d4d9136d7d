"""The conversation: what the inbox lists."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model
from app.fans.models import Fan


class Conversation(Model):
    """The thread of one account with one fan; `last_message` is the beginning of the newest text.

    `version` grows with everything that its page would show, so that a poll can tell "nothing new".
    """

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("account_id", "fan_id"),
        Index(None, "account_id", "last_message_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id"), index=True)
    last_message_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_message: Mapped[str] = mapped_column(String(200), default="")
    unread_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    fan: Mapped[Fan] = relationship(lazy="raise")
