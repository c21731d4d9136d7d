"""Messages, their attempts, media that went up for them, and the steps that a message may take."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model


class Status(StrEnum):
    """Where a message stands; incoming ones are always `received`."""

    RECEIVED = "received"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class Priority(IntEnum):
    """Who goes first within an account; smaller goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


class Step(StrEnum):
    """What a queued message needs next: its media uploaded, its call, or a look whether an unclear call arrived."""

    UPLOAD = "upload"
    SEND = "send"
    LOOK_UP = "look_up"


class Outcome(StrEnum):
    """How an attempt ended: it arrived; certainly not and final; nobody knows; or not sent and not counted."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    NOT_SENT = "not_sent"


# What people wrote one by one: neither a campaign's nor a second try.
WRITTEN = "author_id IS NOT NULL AND campaign_id IS NULL AND retry_of_id IS NULL"


def _only(where: str) -> dict[str, Any]:
    condition = text(where)
    return {"sqlite_where": condition, "postgresql_where": condition}


class Message(Model):
    """One message of a conversation.

    A row may be sent when it is `queued`, due, its ticket was received and it isn't `held` (by a paused campaign);
    one that was `sending` when it was held arrives or comes back, and is looked up, but isn't sent any more.
    `claim_id` and `lease_until` say who works on it; `claims` counts claims since the last outcome, `attempts` the
    calls that count. The platform's key is `public_id` plus `key_generation`; text, price and media never change.
    What came from the platform has its HTML as it came in `markup`, and in `text` what people read.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("account_id", "platform_message_id"),
        CheckConstraint(
            "status IN ('received','scheduled','queued','sending','sent','failed','canceled','unknown')", name="status"
        ),
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint("next_step IN ('upload', 'send', 'look_up')", name="next_step"),
        Index("ix_message_thread", "conversation_id", "created_at", "id"),
        Index("ix_message_unread", "conversation_id", **_only("NOT read")),
        Index("ix_message_line", "account_id", "priority", "due_at", "id", **_only("status = 'queued' AND NOT held")),
        Index(
            "ix_message_siblings",
            "conversation_id",
            "priority",
            "due_at",
            "id",
            **_only("status IN ('queued', 'sending') AND NOT (held AND status = 'queued')"),
        ),
        Index("ix_message_unreceived", "queued_at", **_only("status = 'queued' AND received_at IS NULL")),
        Index("ix_message_chores", "account_id", "due_at", **_only("status = 'queued' AND next_step <> 'send'")),
        Index("ix_message_chores_begun", "account_id", **_only("status = 'queued' AND lease_until IS NOT NULL")),
        Index("ix_message_unclear", "first_unclear_at", **_only("status = 'queued' AND first_unclear_at IS NOT NULL")),
        Index("ix_message_leases", "lease_until", **_only("status = 'sending'")),
        Index("ix_message_scheduled", "due_at", **_only("status = 'scheduled'")),
        Index("ix_message_to_bury", "id", **_only("status = 'failed' AND dead_lettered_at IS NULL")),
        Index("ix_message_failed", "account_id", "failed_at", **_only("status = 'failed'")),
        Index("ix_message_sent", "account_id", "sent_at", **_only("status = 'sent'")),
        Index("ix_message_unknown", "account_id", **_only("status = 'unknown'")),
        Index("ix_message_sending", "account_id", **_only("status = 'sending'")),
        Index("ix_message_campaign", "campaign_id", "status"),
        Index("ix_message_written", "account_id", "created_at", "id", **_only(WRITTEN)),
        Index(
            "ix_message_recipient",
            "campaign_id",
            "fan_id",
            unique=True,
            **_only("campaign_id IS NOT NULL AND retry_of_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"))
    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    retry_of_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), unique=True)
    direction: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(10))
    priority: Mapped[int] = mapped_column(SmallInteger, default=Priority.HIGH)
    text: Mapped[str] = mapped_column(Text)
    markup: Mapped[str | None] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(default=0)
    attachments: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    media_ids: Mapped[list[int | str]] = mapped_column(JSON, default=list)
    read: Mapped[bool] = mapped_column(default=True)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sqs_message_id: Mapped[str | None] = mapped_column(String(100))

    held: Mapped[bool] = mapped_column(default=False)
    next_step: Mapped[str] = mapped_column(String(8), default=Step.SEND)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claim_id: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    claims: Mapped[int] = mapped_column(SmallInteger, default=0)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    key_generation: Mapped[int] = mapped_column(SmallInteger, default=0)
    first_unclear_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unreadable_since: Mapped[datetime | None] = mapped_column(UtcDateTime)

    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead_lettered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(500))
    error_code: Mapped[str | None] = mapped_column(String(100))
    platform_message_id: Mapped[str | None] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unlocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Attempt(Model):
    """One call that sends, written before it is made, by the database's clock. `counted`: it is one of the four."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index(None, "message_id", "id"),
        Index(None, "account_id", "started_at"),
        Index(None, "finished_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id"), index=True)
    claim_id: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(10))
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    counted: Mapped[bool] = mapped_column(default=True)


class Media(Model):
    """A media URL in the platform's vault, once per account, origin (campaign or message) and URL."""

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("account_id", "origin", "url"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    origin: Mapped[str] = mapped_column(String(80))
    url: Mapped[str] = mapped_column(String(2048))
    vault_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
