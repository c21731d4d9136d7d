"""Money received."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime
from app.extensions import Model


class Transaction(Model):
    """One payment, in cents: `gross` is what the fan paid, `net` what the creator keeps."""

    __tablename__ = "transaction"
    __table_args__ = (
        UniqueConstraint("account_id", "platform_id"),
        CheckConstraint("type IN ('subscription', 'tip', 'message', 'post', 'stream')", name="type"),
        Index(None, "account_id", "received_at"),
        Index(None, "fan_id", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    fan_id: Mapped[int | None] = mapped_column(ForeignKey("fan.id", ondelete="SET NULL"))
    platform_id: Mapped[str] = mapped_column(String(100))
    type: Mapped[str] = mapped_column(String(12))
    gross_cents: Mapped[int] = mapped_column()
    net_cents: Mapped[int] = mapped_column()
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
