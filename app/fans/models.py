"""The fan: a subscriber of one account."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model

SEARCHED = "lower(name || coalesce(' ' || handle, '') || coalesce(' ' || email, ''))"
TAGGED = "nullif(CAST(tags AS VARCHAR), '[]')"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Fan(Model):
    """One subscriber. `platform_id` is null until it is known; `handle` is lower case, without `@`; money in cents.

    `searched` is made by the database of what a search looks into, `tagged` of the tags, null where there are none.
    `unreachable_at`: the platform said that this fan can't be written to. `removed_at`: people took them out; what is
    left is what was written and paid.
    """

    __tablename__ = "fan"
    __table_args__ = (
        UniqueConstraint("account_id", "platform_id"),
        UniqueConstraint("account_id", "handle"),
        CheckConstraint("status IN ('active', 'expired')", name="status"),
        Index(None, "account_id", "name", "id"),
        Index(None, "account_id", "value_cents", "id"),
        Index(None, "account_id", "last_seen_at", "id"),
        Index(None, "account_id", "created_at", "id"),
        Index(
            "ix_fan_filtered",
            *("account_id", "searched", "tier", "status", "value_cents", "last_seen_at", "id"),
            **_where("removed_at IS NULL"),
        ),
        Index("ix_fan_tier", "account_id", "tier", **_where("removed_at IS NULL")),
        Index("ix_fan_tagged", "account_id", "updated_at", **_where("tagged IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    platform_id: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    handle: Mapped[str | None] = mapped_column(String(100))
    email: Mapped[str | None] = mapped_column(String(254))
    searched: Mapped[str] = mapped_column(Text, Computed(SEARCHED, persisted=True), deferred=True)
    avatar: Mapped[str | None] = mapped_column(String(500))
    tier: Mapped[str | None] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(10), default="active")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    tagged: Mapped[str | None] = mapped_column(Text, Computed(TAGGED, persisted=True), deferred=True)
    notes: Mapped[str] = mapped_column(Text, default="")
    value_cents: Mapped[int] = mapped_column(BigId, default=0)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unreachable_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, onupdate=now)
