"""Messages that stand in a chat on the platform: written down once, or found to be ones that we sent ourselves."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, or_, select, text, update

from app.conversations.models import Conversation
from app.conversations.service import PREVIEW_LENGTH
from app.db import insert_unless_there, transaction
from app.extensions import db
from app.gateways.answers import same_text
from app.messages.models import Attempt, Message, Outcome, Status, Step
from app.messages.outcomes import MARK_SENT, MAY_TURN_OUT_SENT
from app.messages.service import new_public_id

CLOCKS_DIFFER = timedelta(minutes=2)
ECHOES_WITHIN = timedelta(minutes=10)
CANDIDATES = 20
NO_TEXT = "No text"
CERTAINLY_NOT = (Outcome.REFUSED, Outcome.NOT_SENT)
# `NOT read` is written as the index's own condition is, or SQLite doesn't use it. The platform's ids rise, and its
# times are whole seconds.
REFRESH = text("""
    UPDATE conversation
    SET version = version + 1,
        unread_count = (SELECT count(*) FROM message WHERE conversation_id = conversation.id AND NOT read),
        (last_message, last_message_at, last_direction) = (
            SELECT said, at, direction FROM (
                SELECT 1 AS place, coalesce(nullif(substr(newest.text, 1, :length), ''), :no_text) AS said,
                       newest.created_at AS at, newest.direction AS direction
                FROM (
                    SELECT text, created_at, direction FROM message
                    WHERE conversation_id = conversation.id AND deleted_at IS NULL
                    ORDER BY created_at DESC, length(coalesce(platform_message_id, '')) DESC,
                             coalesce(platform_message_id, '') DESC, id DESC
                    LIMIT 1
                ) AS newest
                UNION ALL SELECT 2, '', NULL, NULL
            ) AS told
            ORDER BY place LIMIT 1
        )
    WHERE id IN :ids
""").bindparams(bindparam("ids", expanding=True), length=PREVIEW_LENGTH, no_text=NO_TEXT)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as the platform has it: `text` clean, `markup` as it came, `media` kinds, money in cents."""

    platform_id: str
    account_id: int
    conversation_id: int
    fan_id: int
    by_us: bool
    text: str
    markup: str
    price_cents: int
    media: tuple[str, ...]
    at: datetime
    read: bool = False


def known(account_id: int, platform_ids: Collection[str]) -> set[str]:
    """Which of these messages of the platform's have a row."""
    query = select(Message.platform_message_id).where(
        Message.account_id == account_id, Message.platform_message_id.in_(platform_ids)
    )
    return {found for found in db.session.scalars(query) if found is not None} if platform_ids else set()


def find(account_id: int, platform_id: str) -> Message | None:
    """The row of a message of the platform's, locked."""
    query = select(Message).where(Message.account_id == account_id, Message.platform_message_id == platform_id)
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True))


def settle_echo(arrival: Arrival) -> bool:
    """Whether it is a message that we sent and whose answer isn't here: then it is `sent` now."""
    with transaction():
        ours = _awaiting_answer(arrival)
        if ours is None:
            return False
        message_id, written_at = ours
        # The platform's times are cut to the second, and nothing is sent before it was written.
        at = max(arrival.at, written_at)
        values = {"message": message_id, "at": at, "platform_id": arrival.platform_id}
        db.session.connection().execute(MARK_SENT, values)
        db.session.execute(
            update(Attempt)
            .where(Attempt.message_id == message_id, Attempt.finished_at.is_(None))
            .values(finished_at=at, outcome=Outcome.DELIVERED),
            execution_options={"synchronize_session": False},
        )
        return True


def was_read(conversation_id: int, platform_id: str) -> None:
    """On the platform the conversation was read up to this message: what came later is as new as it was."""
    with transaction():
        upto = select(Message.created_at).where(Message.conversation_id == conversation_id)
        upto = upto.where(Message.platform_message_id == platform_id)
        # Written as the index's own condition is, or SQLite doesn't use it.
        unread: ColumnElement[bool] = literal_column("NOT message.read")
        seen = update(Message).where(Message.conversation_id == conversation_id, unread)
        seen = seen.where(Message.created_at <= upto.scalar_subquery()).values(read=True)
        db.session.execute(seen, execution_options={"synchronize_session": False})
        refresh([conversation_id])


def unsettled(fan_ids: Collection[int]) -> set[int]:
    """Which of these fans were written to by messages whose arrival isn't known."""
    query = select(Message.fan_id).where(Message.fan_id.in_(fan_ids), Message.platform_message_id.is_(None))
    query = query.where(Message.status.in_(MAY_TURN_OUT_SENT)).distinct()
    return set(db.session.scalars(query)) if fan_ids else set()


def call_under_way(fan_id: int) -> bool:
    """Whether a call to this fan waits for its answer: only that says which message is whose."""
    # Only calls: media on their way up are no message yet.
    query = select(Message.id).where(Message.fan_id == fan_id, Message.status == Status.SENDING)
    return db.session.scalar(query.where(Message.next_step == Step.SEND).limit(1)) is not None


def add(arrivals: Collection[Arrival]) -> None:
    """Write down what has no row yet, once however often it is told. `refresh` the conversations afterwards."""
    if arrivals:
        insert_unless_there(Message, [_row(arrival) for arrival in arrivals])


def refresh(conversation_ids: Collection[int]) -> None:
    """Have conversations tell of their messages: the last one and how many are unread, in whatever order they came."""
    wanted = sorted(set(conversation_ids))
    with transaction():
        if wanted:
            # Locked before they are told anew: whoever was at them has committed, and is counted.
            locked = select(Conversation.id).where(Conversation.id.in_(wanted)).order_by(Conversation.id)
            db.session.execute(locked.with_for_update())
            db.session.connection().execute(REFRESH, {"ids": wanted})


def _awaiting_answer(arrival: Arrival) -> tuple[int, datetime] | None:
    """Id and time of our row of the same fan, text, price and media that was called then and has no platform id.

    A call under way comes first, and one that was certainly refused is none: a retry has the text of what failed.
    """
    near = Attempt.started_at.between(arrival.at - ECHOES_WITHIN, arrival.at + CLOCKS_DIFFER)
    query = (
        select(Message.id, Message.created_at, Message.text, Message.attachments)
        .join(Attempt, Attempt.message_id == Message.id)
        .where(Message.account_id == arrival.account_id, Message.fan_id == arrival.fan_id, near)
        .where(Message.platform_message_id.is_(None), Message.status.in_(MAY_TURN_OUT_SENT))
        .where(Message.price_cents == arrival.price_cents)
        .where(or_(Attempt.outcome.is_(None), Attempt.outcome.not_in(CERTAINLY_NOT)))
        .order_by(Attempt.finished_at.is_not(None), Attempt.started_at, Attempt.id)
        .limit(CANDIDATES)
    )
    for row in db.session.execute(query):
        if len(row.attachments) == len(arrival.media) and same_text(row.text, arrival.text):
            return row.id, row.created_at
    return None


def _row(arrival: Arrival) -> dict[str, Any]:
    return {
        "public_id": new_public_id(),
        "account_id": arrival.account_id,
        "conversation_id": arrival.conversation_id,
        "fan_id": arrival.fan_id,
        "direction": "out" if arrival.by_us else "in",
        "status": Status.SENT if arrival.by_us else Status.RECEIVED,
        "text": arrival.text,
        "markup": arrival.markup,
        "price_cents": arrival.price_cents,
        # The platform's addresses of media are signed and expire: what is kept is that there was one, and its kind.
        "attachments": [{"type": kind, "url": ""} for kind in arrival.media],
        "read": arrival.by_us or arrival.read,
        "created_at": arrival.at,
        "due_at": arrival.at,
        "sent_at": arrival.at if arrival.by_us else None,
        "platform_message_id": arrival.platform_id,
    }
