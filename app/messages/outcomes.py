"""What became of a claimed message: written down for many at once, conditional on the claim.

"It was sent" is true whoever holds the claim by now; everything else counts only while the claim is still ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import Select, Table, bindparam, func, or_, select, update

from app.conversations import service as conversations
from app.db import database_now, on_commit, transaction
from app.extensions import db
from app.gateways import metrics
from app.gateways.metrics import Metric
from app.messages.claims import Envelope
from app.messages.models import Attempt, Message, Outcome, Status, Step

UNREADABLE_FOR = timedelta(minutes=15)
ANSWERS_OTHERS_WITHIN = timedelta(minutes=2)
# A worker that came late may know better than the look-up that found nothing: what arrived is never called failed.
MAY_TURN_OUT_SENT = (Status.SENDING, Status.QUEUED, Status.UNKNOWN, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform has it, under this id."""

    platform_message_id: str
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Not done yet: `step` follows in `delay` seconds. `counted`: the call used up an attempt; `unclear`: it may have
    arrived; `new_key`: the platform has stored its refusal; `unreadable`: the chat
    couldn't be read, or the media not taken; after 15 minutes of that it ends."""

    step: Step
    delay: float
    reason: str
    code: str = ""
    status_code: int | None = None
    counted: bool = True
    unclear: bool = False
    new_key: bool = False
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Uploaded:
    """Its media are in the vault, under these ids; its call follows."""

    media_ids: list[int | str]


@dataclass(frozen=True, slots=True)
class Failed:
    """It certainly didn't arrive and won't be tried again."""

    reason: str
    code: str = ""
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether it arrived; a person decides."""

    reason: str
    code: str = ""
    status_code: int | None = None


UNREADABLE = Unknown(
    "Nobody can tell whether this message arrived: its chat could not be read for 15 minutes", "CHAT_UNREADABLE"
)
Result = Sent | Later | Uploaded | Failed | Unknown

_messages = cast(Table, Message.__table__)
_attempts = cast(Table, Attempt.__table__)
MARK_SENT = (
    _messages.update()
    .where(_messages.c.id == bindparam("message"))
    # One comparison each: executemany() can't expand an IN.
    .where(or_(*(_messages.c.status == status for status in MAY_TURN_OUT_SENT)))
    .values(
        status=Status.SENT,
        sent_at=bindparam("at"),
        failed_at=None,
        platform_message_id=bindparam("platform_id"),
        claim_id=None,
        lease_until=None,
        next_attempt_at=None,
        claims=0,
        error=None,
        error_code=None,
    )
)
END_ATTEMPT = (
    _attempts.update()
    .where(_attempts.c.message_id == bindparam("message"), _attempts.c.claim_id == bindparam("claim"))
    .values(
        finished_at=bindparam("at"),
        outcome=bindparam("result"),
        status_code=bindparam("code"),
        counted=bindparam("counts"),
    )
)


def record(results: Sequence[tuple[Envelope, Result]]) -> datetime:
    """Write down how these claimed steps ended, and say when, by the database's clock.

    Raises IntegrityError when another row has the platform's message.
    """
    with transaction():
        now = database_now()
        connection = db.session.connection()
        sent = [(envelope, result) for envelope, result in results if isinstance(result, Sent)]
        if sent:
            connection.execute(
                MARK_SENT,
                [{"message": e.message_id, "at": now, "platform_id": r.platform_message_id} for e, r in sent],
            )
            on_commit(partial(metrics.record, Metric.MESSAGES_SENT, times=len(sent)))
        calls = [(envelope, result) for envelope, result in results if envelope.step == Step.SEND]
        if calls:
            connection.execute(END_ATTEMPT, [_attempt_end(envelope, result, now) for envelope, result in calls])
        for envelope, result in results:
            if not isinstance(result, Sent):
                _settle(envelope, result, now)
        conversations.changed(sorted({envelope.conversation_id for envelope, _ in results}))
        return now


def _settle(envelope: Envelope, result: Later | Uploaded | Failed | Unknown, now: datetime) -> None:
    if isinstance(result, Later) and result.unreadable:
        if result.step == Step.LOOK_UP:
            _refund_last_attempt(envelope)
        if _unreadable_for_long(envelope, now):
            result = UNREADABLE if result.step == Step.LOOK_UP else Failed(result.reason, "MEDIA_UNAVAILABLE")
    if isinstance(result, Failed):
        on_commit(partial(metrics.record, Metric.MESSAGES_FAILED))
    unfinished = update(Message).where(
        Message.id == envelope.message_id, Message.status.in_([Status.SENDING, Status.QUEUED])
    )
    # Whose claim it is by now: what came late may still say that its call used up no attempt.
    db.session.execute(unfinished.values(attempts=_counted(envelope.message_id)))
    db.session.execute(
        unfinished.where(Message.claim_id == envelope.claim_id).values(
            claim_id=None, lease_until=None, claims=0, **_changes(envelope, result, now)
        )
    )


def _changes(envelope: Envelope, result: Later | Uploaded | Failed | Unknown, now: datetime) -> dict[str, Any]:
    match result:
        case Uploaded():
            return {
                "media_ids": result.media_ids,
                "next_step": Step.SEND,
                "next_attempt_at": None,
                "unreadable_since": None,
                "error": None,
            }
        case Failed() | Unknown():
            status = Status.FAILED if isinstance(result, Failed) else Status.UNKNOWN
            failed_at = now if isinstance(result, Failed) else None
            return {"status": status, "failed_at": failed_at} | _reason(result)
    unclear_at = func.coalesce(Message.first_unclear_at, envelope.claimed_at) if result.unclear else None
    unreadable = func.coalesce(Message.unreadable_since, now) if result.unreadable else None
    values = {
        "status": Status.QUEUED,
        "next_step": result.step,
        "next_attempt_at": now + timedelta(seconds=result.delay),
        "unreadable_since": unreadable,
        "key_generation": Message.key_generation + int(result.new_key),
    }
    return values | ({"first_unclear_at": unclear_at} if unclear_at is not None else {}) | _reason(result)


def _reason(result: Later | Failed | Unknown) -> dict[str, str | None]:
    return {"error": result.reason[:500], "error_code": result.code[:100] or None}


def _attempt_end(envelope: Envelope, result: Result, now: datetime) -> dict[str, Any]:
    match result:
        case Sent() | Uploaded():
            outcome, counts = Outcome.DELIVERED, True
        case Later():
            outcome, counts = (Outcome.UNCLEAR if result.unclear else Outcome.NOT_SENT), result.counted
        case _:
            outcome, counts = Outcome.REFUSED, True
    status_code = None if isinstance(result, Uploaded) else result.status_code
    return {
        "message": envelope.message_id,
        "claim": envelope.claim_id,
        "at": now,
        "result": outcome,
        "code": status_code,
        "counts": counts,
    }


def _counted(message_id: int) -> Any:
    return (
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.message_id == message_id, Attempt.counted)
        .scalar_subquery()
    )


def _refund_last_attempt(envelope: Envelope) -> None:
    """The unclear attempt doesn't count, as long as the claim is ours: by now the last one may be somebody else's."""
    last = select(func.max(Attempt.id)).where(Attempt.message_id == envelope.message_id).scalar_subquery()
    ours = select(Message.id).where(Message.id == envelope.message_id, Message.claim_id == envelope.claim_id).exists()
    db.session.execute(update(Attempt).where(Attempt.id == last, ours).values(counted=False))


def _unreadable_for_long(envelope: Envelope, now: datetime) -> bool:
    """Whether the chat couldn't be read (the media not taken) for 15 min although the platform answered others."""
    since = envelope.unreadable_since
    if since is None or now - since < UNREADABLE_FOR:
        return False
    answers = (
        select(Attempt.finished_at)
        .where(Attempt.finished_at >= since, Attempt.status_code < 500, Attempt.message_id != envelope.message_id)
        .limit(1)
    )
    first, last = _one(answers.order_by(Attempt.finished_at)), _one(answers.order_by(Attempt.finished_at.desc()))
    if first is None or last is None:
        return False
    return now - first >= UNREADABLE_FOR and now - last <= ANSWERS_OTHERS_WITHIN


def _one(query: Select[datetime | None]) -> datetime | None:
    return db.session.scalar(query)


def refused_in_a_row(account_id: int, times: int) -> bool:
    """Whether the account's last `times` answered calls were 403 or 404, for as many different fans."""
    last = db.session.execute(
        select(Attempt.status_code, Attempt.fan_id)
        .where(Attempt.account_id == account_id, Attempt.finished_at.is_not(None), Attempt.status_code.is_not(None))
        .order_by(Attempt.started_at.desc())
        .limit(20)
    ).all()
    fans: set[int] = set()
    for row in last:
        if row.status_code not in {403, 404}:
            break
        fans.add(row.fan_id)
    return len(fans) >= times


def taken_platform_ids(account_id: int, platform_ids: Sequence[str], but: int) -> set[str]:
    """Which of these platform message ids belong to rows of the account other than `but`."""
    query = select(Message.platform_message_id).where(
        Message.account_id == account_id, Message.platform_message_id.in_(platform_ids), Message.id != but
    )
    return {found for found in db.session.scalars(query) if found is not None}
