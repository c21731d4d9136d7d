"""The intake: every ticket ends as a row that may go or as a dead letter, however often and late it comes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.delivery.intake import Intake
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.extensions import connect_redis, db
from app.gateways.sqs import QueueUnavailable
from app.messages.models import Message
from tests.delivery.queues import UnrulyQueue, drain, put
from tests.delivery.virtual import LIMIT, TIMEOUT, VirtualRedis
from tests.messages.line import change, fresh
from tests.messages.line import queue as accept
from tests.support.cast import Cast


@pytest.fixture
def intake(cast: Cast, queue: UnrulyQueue, relay: Relay, virtual: VirtualRedis) -> Intake:
    """An intake; Redis knows Ada's account and Eve's, which have nothing to do."""
    virtual.admit(cast.account.id, cast.eves_account.id)
    virtual.client.delete("{huntaze}:ready")
    return Intake(queue, relay, virtual.bucket())


def _ready(virtual: VirtualRedis) -> list[int]:
    """Accounts that have something to do, as the next worker to ask learns."""
    return sorted(slot.account_id for slot in virtual.bucket().take(10).slots)


def _published(cast: Cast, relay: Relay, count: int = 1) -> list[Message]:
    messages = [accept(cast.ada, cast.conversations[number % 3], received=False) for number in range(count)]
    relay.publish_now([message.id for message in messages])
    return messages


def _body(cast: Cast, **changes: object) -> str:
    """A ticket of another system's."""
    body: dict[str, Any] = {
        "messageId": "other-system-1",
        "userId": cast.ada.id,
        "accountId": cast.account.id,
        "recipientId": "1001",
        "content": "Hello from elsewhere",
        "timestamp": "2026-11-01T12:00:00Z",
    }
    return json.dumps(body | changes)


def _rows() -> int:
    return db.session.scalar(select(func.count()).select_from(Message)) or 0


def _is_empty(queue: UnrulyQueue) -> bool:
    depth = queue.queue.depth()
    return (depth.visible, depth.in_flight) == (0, 0)


def test_a_ticket_makes_its_row_ready_and_is_gone(
    cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue, virtual: VirtualRedis
) -> None:
    (message,) = _published(cast, relay)
    assert _ready(virtual) == []
    assert intake.receive_once(0)
    assert fresh(message).received_at is not None
    assert _is_empty(queue)
    assert _ready(virtual) == [cast.account.id]
    assert not intake.receive_once(0)


@pytest.mark.parametrize("mood", ["doubled", "reversed", "withheld"])
def test_unruly_queues_change_nothing(cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue, mood: str) -> None:
    messages = _published(cast, relay, 12)
    setattr(queue, mood, 3 if mood == "withheld" else True)
    for _ in range(6):
        intake.receive_once(0)
    assert all(fresh(message).received_at for message in messages)
    assert _rows() == 12
    assert _is_empty(queue)


def test_a_ticket_that_comes_again_after_its_message_was_sent_changes_nothing(
    cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue
) -> None:
    (message,) = _published(cast, relay)
    intake.receive_once(0)
    change(message, status="sent", platform_message_id="900")
    received_at = fresh(message).received_at
    relay.publish_now([message.id])
    intake.receive_once(0)
    fresh(message)
    assert (message.status, message.received_at) == ("sent", received_at)
    assert _is_empty(queue)


@pytest.mark.parametrize("body", ["", "{", "[]", '{"messageId": "x"}', "null"])
def test_what_nobody_understands_goes_to_the_dead_letters_alone(
    cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue, dead_letters: UnrulyQueue, body: str
) -> None:
    (message,) = _published(cast, relay)
    put(queue, body or " ")
    intake.receive_once(0)
    intake.receive_once(0)
    (letter,) = drain(dead_letters)
    assert letter["body"] == (body or " ")
    assert letter["reason"]
    assert fresh(message).received_at is not None
    assert _is_empty(queue)
    assert _rows() == 1


def test_a_dead_letter_that_can_not_be_written_leaves_its_ticket(
    cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue, dead_letters: UnrulyQueue
) -> None:
    dead_letters.away = True
    (message,) = _published(cast, relay)
    put(queue, "nonsense")
    intake.receive_once(0)
    intake.receive_once(0)
    assert queue.queue.depth().in_flight == 1
    assert fresh(message).received_at is not None


def test_another_systems_message_becomes_a_row_that_may_go(
    cast: Cast, intake: Intake, queue: UnrulyQueue, virtual: VirtualRedis
) -> None:
    put(queue, _body(cast, priority="low", mediaUrls=["https://cdn.example.com/a.jpg"]))
    intake.receive_once(0)
    message = db.session.scalars(select(Message)).one()
    assert (message.public_id, message.status, message.text) == ("other-system-1", "queued", "Hello from elsewhere")
    assert (message.account_id, message.fan_id, message.priority) == (cast.account.id, cast.fans[0].id, 2)
    assert [attachment["url"] for attachment in message.attachments] == ["https://cdn.example.com/a.jpg"]
    assert message.received_at is not None
    assert _ready(virtual) == [cast.account.id]
    assert _is_empty(queue)


def test_another_systems_message_that_comes_twice_is_one_row(cast: Cast, intake: Intake, queue: UnrulyQueue) -> None:
    queue.doubled = True
    for _ in range(2):
        put(queue, _body(cast), _body(cast))
        intake.receive_once(0)
    assert _rows() == 1
    assert _is_empty(queue)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"userId": 999_999}, "userId"),
        ({"accountId": 999_999}, "not found"),
        ({"accountId": "eves"}, "not found"),
    ],
)
def test_another_systems_message_is_checked_like_a_request(
    cast: Cast, intake: Intake, queue: UnrulyQueue, dead_letters: UnrulyQueue, changes: dict[str, Any], reason: str
) -> None:
    if changes.get("accountId") == "eves":
        changes = {"accountId": cast.eves_account.id}
    put(queue, _body(cast, **changes))
    intake.receive_once(0)
    (letter,) = drain(dead_letters)
    assert reason in letter["reason"]
    assert _rows() == 0
    assert _is_empty(queue)


def test_whether_the_queue_answers_is_noted(intake: Intake, relay: Relay, queue: UnrulyQueue) -> None:
    queue.away = True
    with pytest.raises(QueueUnavailable):
        intake.receive_once(0)
    since = relay.failing_since
    assert since is not None
    with pytest.raises(QueueUnavailable):
        intake.receive_once(0)
    assert relay.failing_since == since
    queue.away = False
    intake.receive_once(0)
    assert relay.failing_since is None


def test_without_redis_tickets_are_taken_in_all_the_same(
    cast: Cast, relay: Relay, queue: UnrulyQueue, tmp_path: Path
) -> None:
    bucket = TokenBucket(connect_redis(f"unix://{tmp_path}/nobody.sock"), LIMIT, TIMEOUT)
    (message,) = _published(cast, relay)
    assert Intake(queue, relay, bucket).receive_once(0)
    assert fresh(message).received_at is not None
    assert _is_empty(queue)


@contextmanager
def _without_messages() -> Iterator[None]:
    """The database has lost its messages for a while: every statement about them fails."""
    db.session.execute(text("ALTER TABLE message RENAME TO message_away"))
    db.session.commit()
    try:
        yield
    finally:
        db.session.rollback()
        db.session.execute(text("ALTER TABLE message_away RENAME TO message"))
        db.session.commit()


def test_without_the_database_tickets_stay(cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue) -> None:
    (message,) = _published(cast, relay)
    with _without_messages(), pytest.raises(SQLAlchemyError):
        intake.receive_once(0)
    assert queue.queue.depth().in_flight == 1
    assert fresh(message).received_at is None


def test_a_ticket_that_can_not_be_deleted_comes_again_without_harm(
    cast: Cast, intake: Intake, relay: Relay, queue: UnrulyQueue
) -> None:
    (message,) = _published(cast, relay)
    put(queue, _body(cast))
    queue.keeps = True
    with pytest.raises(QueueUnavailable):
        intake.receive_once(0)
    queue.keeps = False
    assert fresh(message).received_at is not None
    relay.publish_now([message.id])
    put(queue, _body(cast))
    intake.receive_once(0)
    assert _rows() == 2
    assert queue.queue.depth().visible == 0
