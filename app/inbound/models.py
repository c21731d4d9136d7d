"""The journal of webhooks, and what was said of messages and fans that may arrive later than it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model


class Outcome(StrEnum):
    """How an event ended: done; nothing to do; of no account here; not to be understood; failed again and again."""

    DONE = "done"
    IGNORED = "ignored"
    STRANGER = "stranger"
    UNREADABLE = "unreadable"
    FAILED = "failed"


def _only(where: str) -> dict[str, Any]:
    condition = text(where)
    return {"sqlite_where": condition, "postgresql_where": condition}


class WebhookEvent(Model):
    """One event as the platform told it; `key` is the platform's name for it, null for those that have none.

    It waits until `done_at` is set; `try_at` is when it is taken up (again).
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'ignored', 'stranger', 'unreadable', 'failed')", name="outcome"),
        Index("ix_webhook_event_waiting", "try_at", "id", **_only("done_at IS NULL")),
        Index("ix_webhook_event_logins", "platform_account", "id", **_only("event LIKE 'accounts.%'")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str | None] = mapped_column(String(255), unique=True)
    event: Mapped[str] = mapped_column(String(100))
    platform_account: Mapped[str] = mapped_column(String(64))
    payload: Mapped[Any] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    try_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(10))
    error: Mapped[str | None] = mapped_column(String(200))


class MessageMark(Model):
    """What became of a message of the platform's, whether its row is here by now or not."""

    __tablename__ = "message_mark"
    __table_args__ = (UniqueConstraint("account_id", "platform_message_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    platform_message_id: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unlocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SubscriptionMark(Model):
    """Of when the newest news of a fan's subscription is: older news that comes later changes nothing."""

    __tablename__ = "subscription_mark"

    fan_id: Mapped[int] = mapped_column(ForeignKey("fan.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Stage(StrEnum):
    """What is read next of an account's past; in this order."""

    CHATS = "chats"
    FANS = "fans"
    PAYMENTS = "payments"
    DONE = "done"


class Synchronisation(Model):
    """How far an account has been read from the platform; each account has one, which begins anew every night.

    `cursor` is where the stage's next page begins, as the platform said. `full`: the newest messages of every chat,
    else only of those where something is missing. `due_at`: not before; `working_until`: somebody is at it till then.
    """

    __tablename__ = "synchronisation"
    __table_args__ = (
        CheckConstraint("stage IN ('chats', 'fans', 'payments', 'done')", name="stage"),
        Index("ix_synchronisation_due", "due_at", **_only("stage <> 'done'")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), unique=True)
    stage: Mapped[str] = mapped_column(String(10), default=Stage.CHATS)
    cursor: Mapped[str | None] = mapped_column(String(200))
    full: Mapped[bool] = mapped_column(default=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    chats: Mapped[int] = mapped_column(default=0)
    messages: Mapped[int] = mapped_column(default=0)
    fans: Mapped[int] = mapped_column(default=0)
    payments: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    error: Mapped[str | None] = mapped_column(String(300))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    working_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
