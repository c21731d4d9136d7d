"""The way of a queued message onto SQS and back: published, received; and of a failed one to the dead letters."""

import json
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, Text, bindparam, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.accounts.models import Account
from app.db import BigId, Clock, database_now, transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status
from app.reads import read

UNPUBLISHED_AFTER = timedelta(seconds=2)
UNRECEIVED_AFTER = timedelta(seconds=60)
DEAD_LETTER_LEASE = timedelta(seconds=60)
_messages = typing.cast(Table, Message.__table__)
_told = bindparam("told", type_=Text)
# One statement for a whole bag: message ids and SQS' ids come as one JSON object.
PUBLISHED = {
    dialect: _messages.update()
    .where(_messages.c.id == cast(each.c.key, BigId))
    .values(published_at=Clock(), sqs_message_id=each.c.value)
    for dialect, each in (
        ("sqlite", func.json_each(_told).table_valued("key", "value")),
        ("postgresql", func.jsonb_each_text(cast(_told, JSONB)).table_valued("key", "value")),
    )
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a ticket says of a message."""

    message_id: int
    public_id: str
    author_id: int
    account_id: int
    conversation_id: int
    campaign_id: int | None
    recipient: str
    text: str
    attachments: list[dict[str, str]]
    priority: int
    queued_at: datetime
    error: str | None


def parcels(message_ids: Sequence[int]) -> list[Parcel]:
    """The tickets' content of these messages, in the order of their ids."""
    return [Parcel(*row) for row in read(_parcels(), {"ids": list(message_ids)})]


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _parcels() -> Select[*tuple[Any, ...]]:
    columns: tuple[Any, ...] = (
        Message.id,
        Message.public_id,
        func.coalesce(Message.author_id, Account.owner_id),
        Message.account_id,
        Message.conversation_id,
        Message.campaign_id,
        func.coalesce(Fan.platform_id, ""),
        Message.text,
        Message.attachments,
        Message.priority,
        func.coalesce(Message.queued_at, Message.created_at),
        Message.error,
    )
    return (
        select(*columns)
        .join(Fan, Fan.id == Message.fan_id)
        .join(Account, Account.id == Message.account_id)
        .where(Message.id.in_(bindparam("ids", expanding=True)))
        .order_by(Message.id)
    )


def claim_unpublished(most: int) -> list[int]:
    """Queued messages that aren't on SQS: never published, or published 60 s ago and not received; marked published."""
    with transaction():
        now = database_now()
        lost = (
            select(Message.id)
            .where(Message.status == Status.QUEUED, Message.received_at.is_(None), _lost(now))
            .order_by(Message.queued_at)
            .limit(most)
        )
        claimed = db.session.scalars(
            update(Message)
            .where(Message.id.in_(lost), Message.received_at.is_(None), _lost(now))
            .values(published_at=now)
            .returning(Message.id)
        )
        return sorted(claimed)


def _lost(now: datetime) -> ColumnElement[bool]:
    never = Message.published_at.is_(None) & (Message.queued_at <= now - UNPUBLISHED_AFTER)
    return or_(never, Message.published_at <= now - UNRECEIVED_AFTER)


def mark_published(sqs_ids: dict[int, str]) -> None:
    """These messages (id → SQS' id) are on the queue."""
    if not sqs_ids:
        return
    with transaction():
        connection = db.session.connection()
        connection.execute(PUBLISHED[connection.dialect.name], {"told": json.dumps(sqs_ids)})


def mark_unpublished(message_ids: Sequence[int]) -> None:
    """These messages didn't reach the queue after all."""
    if message_ids:
        with transaction():
            db.session.execute(update(Message).where(Message.id.in_(message_ids)).values(published_at=None))


def mark_received(public_ids: Sequence[str]) -> dict[str, int]:
    """Tickets of these messages came in: they may be sent. Returns message id → account id of those that are known."""
    with transaction():
        now = database_now()
        db.session.execute(
            update(Message)
            .where(Message.public_id.in_(public_ids), Message.received_at.is_(None))
            .values(received_at=now)
        )
        known = db.session.execute(
            select(Message.public_id, Message.account_id).where(Message.public_id.in_(public_ids))
        )
        return {row.public_id: row.account_id for row in known}


def hand_over(most: int) -> list[int]:
    """Without SQS: queued messages count as received; the ids of their accounts."""
    with transaction():
        now = database_now()
        waiting = (
            select(Message.id)
            .where(Message.status == Status.QUEUED, Message.received_at.is_(None))
            .order_by(Message.queued_at)
            .limit(most)
        )
        return sorted(
            set(
                db.session.scalars(
                    update(Message).where(Message.id.in_(waiting)).values(received_at=now).returning(Message.account_id)
                )
            )
        )


def claim_dead(most: int) -> list[int]:
    """Failed messages that have no dead letter yet, to be written by the caller within a minute."""
    with transaction():
        now = database_now()
        unwritten = Message.dead_lettered_at.is_(None) & or_(Message.lease_until.is_(None), Message.lease_until <= now)
        dead = select(Message.id).where(Message.status == Status.FAILED, unwritten).order_by(Message.id).limit(most)
        claimed = db.session.scalars(
            update(Message)
            .where(Message.id.in_(dead), unwritten)
            .values(lease_until=now + DEAD_LETTER_LEASE)
            .returning(Message.id)
        )
        return sorted(claimed)


def mark_dead(message_ids: Sequence[int]) -> None:
    """These failed messages have their dead letters now."""
    _end_burial(message_ids, dead_lettered_at=database_now())


def unclaim_dead(message_ids: Sequence[int]) -> None:
    """The dead letters of these messages couldn't be written; they'll be tried again."""
    _end_burial(message_ids)


def _end_burial(message_ids: Sequence[int], **values: datetime) -> None:
    if message_ids:
        with transaction():
            db.session.execute(update(Message).where(Message.id.in_(message_ids)).values(lease_until=None, **values))
