"""A person asks what became of an `unknown` message: a background worker reads its chat, however long that takes."""

import logging
from collections.abc import Callable

import redis

from app import jobs
from app.accounts.models import User
from app.db import transaction
from app.delivery.courier import Courier
from app.errors import Unavailable
from app.extensions import redis as shared_redis
from app.messages import checking
from app.messages.models import Message

log = logging.getLogger(__name__)
LOOK = "app.delivery.checking.look"
_make_courier: Callable[[], Courier] | None = None


def bind(make_courier: Callable[[], Courier]) -> None:
    """What the jobs of this process look with, made when the first one runs."""
    global _make_courier  # noqa: PLW0603 - a job can be given nothing but plain arguments
    _make_courier = make_courier


def begin(viewer: User, message_id: int) -> Message:
    """Have the chat looked through; raises NotFound, Conflict (not unknown), Unavailable."""
    with transaction():
        message = checking.unknown(viewer, message_id)
    try:
        jobs.enqueue(shared_redis(), LOOK, message.id)
    except redis.RedisError:
        raise Unavailable("The check can't be begun now: try again in a moment") from None
    return message


def look(message_id: int) -> None:
    """The job: read the chat back to the first call, and write down what it says."""
    if _make_courier is None:
        raise RuntimeError("bind() comes first")
    with transaction():
        envelope = checking.envelope(message_id)
    if envelope is None:
        return
    report = _make_courier().look_up(envelope)
    if report.found is None:
        checking.unreadable(envelope, getattr(report.result, "reason", ""))
    elif not checking.found(envelope, [message.id for message in report.found]):
        checking.absent(envelope)
    log.info("message_checked", extra={"messageId": envelope.public_id, "found": len(report.found or [])})
