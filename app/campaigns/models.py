"""The campaign: one text sent to many fans."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model


class Campaign(Model):
    """One text for many fans; how far it is, is counted from its messages."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("status IN ('scheduled', 'queued', 'paused', 'canceled', 'completed')", name="status"),
        Index(None, "account_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(default=0)
    attachments: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(String(10), default="queued")
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
