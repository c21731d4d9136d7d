"""The campaign: one text sent to many fans."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model
from app.messages.models import Priority

NAME_LENGTH = 100
UNPLANNED: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), text("planned_at IS NULL"))


class Will(StrEnum):
    """What is to become of a campaign: it goes by itself, a person holds it, it is too late and asks, or it is off."""

    ACTIVE = "active"
    PAUSED = "paused"
    LATE = "late"
    CANCELED = "canceled"


class Campaign(Model):
    """One text for many fans; how far it is, is counted from its messages.

    `status` is a `Will`. Its messages are planned in the order of the fans' ids: `planned_to` is the last one so far,
    `planned_at` says that all are there, `planner_until` that somebody is at it. Without `segment` the recipients
    were named one by one; `rejected` are those of them that can't be written to (`{recipientId, reason}`).
    """

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'paused', 'late', 'canceled')", name="status"),
        Index(None, "account_id", "created_at"),
        Index("ix_campaign_unplanned", "planner_until", **UNPLANNED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    text: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(default=0)
    attachments: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.LOW)
    status: Mapped[str] = mapped_column(String(10), default=Will.ACTIVE)
    segment: Mapped[dict[str, str | int] | None] = mapped_column(JSON)
    wanted: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[list[dict[str, str | int]]] = mapped_column(JSON, default=list)
    planned_to: Mapped[int] = mapped_column(BigId, default=0)
    planner_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    planned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    canceled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
