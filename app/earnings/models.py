"""Money received, and which days of it changed since they were counted."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model


class Kind(StrEnum):
    """What was paid for."""

    SUBSCRIPTION = "subscription"
    TIP = "tip"
    MESSAGE = "message"
    POST = "post"
    STREAM = "stream"


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


class StaleDay(Model):
    """A UTC day of an account whose money changed after it was counted; written with the change, gone once counted."""

    __tablename__ = "stale_day"
    __table_args__ = (Index(None, "account_id", "day"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    day: Mapped[date] = mapped_column()
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
