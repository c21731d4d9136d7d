"""The dispatcher through its verbs, on a real Redis and database: from a free slot to a message that arrived once."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.accounts.connection import Keys
from app.delivery.courier import Courier
from app.delivery.dispatcher import Dispatcher
from app.extensions import db
from app.messages.models import Message
from config import DEVELOPMENT_ENCRYPTION_KEY, RateLimit
from tests.delivery.gated import GatedPlatform
from tests.delivery.virtual import VirtualRedis
from tests.journeys.waiting import until
from tests.messages.line import attempts, fresh, pass_time, queue
from tests.support.cast import Cast
from tests.support.fake_platform import End

QUICK = RateLimit(messages=50, window=5.0, min_gap=0.0)
GRACE_MS = 6000


@pytest.fixture
def virtual(redis_url: str) -> VirtualRedis:
    """A Redis that has never been seen, with a quick limit."""
    return VirtualRedis(redis_url, QUICK)


@pytest.fixture
def start(virtual: VirtualRedis, gated: GatedPlatform) -> Iterator[Callable[..., Dispatcher]]:
    """`start(in_flight=8)`: a worker's dispatcher; its threads end with the test."""
    made: list[Dispatcher] = []

    def dispatcher(in_flight: int = 8) -> Dispatcher:
        courier = Courier(gated, Keys(DEVELOPMENT_ENCRYPTION_KEY, "key"))
        made.append(Dispatcher(virtual.bucket(), courier, in_flight))
        return made[-1]

    yield dispatcher
    gated.gate.set()
    for one in made:
        one.close(5)


def _round(dispatcher: Dispatcher) -> None:
    dispatcher.dispatch_once()
    dispatcher.dispatch_chores()


def _until(dispatcher: Dispatcher, condition: Callable[[], object], what: str) -> None:
    def turned() -> object:
        _round(dispatcher)
        return condition()

    until(turned, what, 15)


def _ended(*messages: Message) -> Callable[[], bool]:
    return lambda: all(fresh(message).status in ("sent", "failed", "unknown") for message in messages)


def _finish(dispatcher: Dispatcher, *messages: Message) -> None:
    _until(dispatcher, _ended(*messages), "the end of all messages")


def _delivered(gated: GatedPlatform, *messages: Message) -> list[int]:
    """How often each of them reached its fan."""
    return [len(gated.delivered(message.public_id)) for message in messages]


Start = Callable[..., Dispatcher]


def test_on_a_fresh_installation_everything_goes_at_once_and_once(
    cast: Cast, start: Start, gated: GatedPlatform
) -> None:
    messages = [queue(cast.ada, cast.conversations[number % 3]) for number in range(9)]
    messages.append(queue(cast.eve, cast.eves_conversation))
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id, cast.eves_account.id])
    _finish(dispatcher, *messages)
    assert _delivered(gated, *messages) == [1] * 10
    assert all(len(attempts(message)) == 1 for message in messages)
    until(lambda: dispatcher.dispatch_once() is None or dispatcher.idle(), "rest")


def test_messages_of_a_conversation_arrive_in_their_order(cast: Cast, start: Start, gated: GatedPlatform) -> None:
    messages = [queue(cast.ada, cast.conversations[0], f"Number {number}") for number in range(6)]
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id])
    _finish(dispatcher, *messages)
    assert [letter.text for letter in gated.sends] == [message.text for message in messages]


def test_a_redis_that_forgot_everything_waits_for_what_the_database_remembers(
    cast: Cast, start: Start, gated: GatedPlatform, virtual: VirtualRedis
) -> None:
    old, young = queue(cast.ada, cast.conversations[0]), queue(cast.eve, cast.eves_conversation)
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id, cast.eves_account.id])
    _finish(dispatcher, old, young)
    pass_time(timedelta(seconds=60))
    again = queue(cast.eve, cast.eves_conversation)
    _finish_after(dispatcher, cast, again)
    waiting, free = queue(cast.eve, cast.eves_conversation), queue(cast.ada, cast.conversations[0])
    virtual.flush()
    young_redis = start()
    young_redis.bucket.ready([cast.account.id, cast.eves_account.id])
    for _ in range(5):
        _round(young_redis)
    # Calls of other workers that began just before the loss have not been written down yet.
    assert fresh(free).status == "queued"
    virtual.pass_time(GRACE_MS)
    other = start()
    other.bucket.ready([cast.account.id, cast.eves_account.id])
    _finish(other, free)
    for _ in range(10):
        _round(other)
    assert fresh(waiting).status == "queued"
    virtual.pass_time(16_000)
    _finish(start(), waiting)
    assert _delivered(gated, old, young, again, waiting, free) == [1] * 5


def _finish_after(dispatcher: Dispatcher, cast: Cast, message: Message) -> None:
    dispatcher.bucket.ready([cast.account.id, cast.eves_account.id])
    _finish(dispatcher, message)


def test_no_more_calls_than_allowed_are_in_the_air(cast: Cast, start: Start, gated: GatedPlatform) -> None:
    messages = [queue(cast.ada, conversation) for conversation in cast.conversations[:3]]
    messages.append(queue(cast.eve, cast.eves_conversation))
    gated.closed = {cast.account.platform_id, cast.eves_account.platform_id}
    dispatcher = start(2)
    dispatcher.bucket.ready([cast.account.id, cast.eves_account.id])
    _until(dispatcher, lambda: len(gated.inside) == 2, "two calls in the air")
    for _ in range(10):
        _round(dispatcher)
    # Nor is any other claimed, to lie about in this process.
    assert (len(gated.inside), [fresh(message).status for message in messages].count("sending")) == (2, 2)
    assert not dispatcher.idle()
    gated.gate.set()
    _finish(dispatcher, *messages)
    assert _delivered(gated, *messages) == [1] * 4


def test_calls_that_hang_hold_back_their_own_account_alone(cast: Cast, start: Start, gated: GatedPlatform) -> None:
    hanging = [queue(cast.ada, cast.conversations[number % 3]) for number in range(6)]
    others = [queue(cast.eve, cast.eves_conversation) for _ in range(6)]
    gated.closed = {cast.account.platform_id}
    dispatcher = start(8)
    dispatcher.bucket.ready([cast.account.id, cast.eves_account.id])
    _finish(dispatcher, *others)
    assert len(gated.inside) == 3
    gated.gate.set()
    _finish(dispatcher, *hanging)


@pytest.mark.parametrize("end", [End.LOST, End.LOST_AFTER, End.UNREACHED, End.LIMITED])
def test_whatever_the_first_call_came_to_it_arrives_once(
    cast: Cast, start: Start, gated: GatedPlatform, end: End
) -> None:
    gated.ends.append(end)
    message = queue(cast.ada, cast.conversations[0])
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id])
    _until(dispatcher, lambda: fresh(message).next_attempt_at is not None, "the first end")
    pass_time(timedelta(seconds=31))
    dispatcher.bucket.ready([cast.account.id])
    _finish(dispatcher, message)
    assert (message.status, _delivered(gated, message)) == ("sent", [1])
    assert len(gated.read) == (1 if end in (End.LOST, End.LOST_AFTER) else 0)


def test_a_fault_of_ours_in_a_call_is_looked_up_like_any_unclear_end(
    cast: Cast, start: Start, gated: GatedPlatform
) -> None:
    gated.fault = RuntimeError("nobody thought of this")
    message = queue(cast.ada, cast.conversations[0])
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id])
    _until(dispatcher, lambda: fresh(message).error_code == "COURIER_FAULT", "the fault")
    gated.fault = None
    pass_time(timedelta(seconds=5))
    _finish(dispatcher, message)
    assert (message.status, _delivered(gated, message)) == ("sent", [1])


def test_media_go_up_before_a_slot_is_taken(
    cast: Cast, start: Start, gated: GatedPlatform, virtual: VirtualRedis
) -> None:
    message = queue(cast.ada, cast.conversations[0], media=("https://cdn.example.com/a.jpg",))
    dispatcher = start()
    dispatcher.dispatch_chores()
    _until_recorded(dispatcher, lambda: fresh(message).media_ids == [701])
    assert gated.sends == []
    assert virtual.bucket().peek(cast.account.id).back_ms == []
    _finish(dispatcher, message)
    assert gated.sends[0].media_ids == (701,)


def _until_recorded(dispatcher: Dispatcher, condition: Callable[[], object]) -> None:
    def turned() -> object:
        dispatcher.record_landed()
        return condition()

    until(turned, "what was to be recorded", 10)


def _break_database() -> None:
    db.session.rollback()
    db.session.execute(text("ALTER TABLE attempt RENAME TO attempt_away"))
    db.session.commit()


def _mend_database() -> None:
    db.session.rollback()
    db.session.execute(text("ALTER TABLE attempt_away RENAME TO attempt"))
    db.session.commit()


def test_slots_that_the_database_could_not_use_are_given_back(
    cast: Cast, start: Start, gated: GatedPlatform, virtual: VirtualRedis
) -> None:
    virtual.admit(cast.account.id)
    message = queue(cast.ada, cast.conversations[0])
    dispatcher = start()
    _break_database()
    with pytest.raises(SQLAlchemyError):
        dispatcher.dispatch_once()
    _mend_database()
    assert virtual.bucket().peek(cast.account.id).back_ms == []
    assert (fresh(message).status, gated.sends) == ("queued", [])
    _finish(dispatcher, message)
    assert _delivered(gated, message) == [1]


def test_ends_that_the_database_did_not_take_are_kept_until_it_does(
    cast: Cast, start: Start, gated: GatedPlatform, virtual: VirtualRedis
) -> None:
    message = queue(cast.ada, cast.conversations[0])
    gated.closed = {cast.account.platform_id}
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id])
    _until(dispatcher, lambda: gated.inside, "a call in the air")
    _break_database()
    gated.gate.set()
    assert dispatcher.wake.wait(5)
    with pytest.raises(SQLAlchemyError):
        dispatcher.record_landed()
    _mend_database()
    # The slot's window began when the call ended, whether or not that could be written down.
    assert 0 < virtual.bucket().peek(cast.account.id).back_ms[0] - virtual.now() <= 5000
    assert not dispatcher.idle()
    dispatcher.record_landed()
    assert (fresh(message).status, dispatcher.idle()) == ("sent", True)


def test_closing_waits_for_the_calls_in_the_air_and_writes_them_down(
    cast: Cast, start: Start, gated: GatedPlatform
) -> None:
    message = queue(cast.ada, cast.conversations[0])
    gated.closed = {cast.account.platform_id}
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id])
    _until(dispatcher, lambda: gated.inside, "a call in the air")
    threading.Timer(0.3, gated.gate.set).start()
    dispatcher.close(10)
    assert fresh(message).status == "sent"
    assert dispatcher.idle()


def test_closing_does_not_wait_longer_than_told(cast: Cast, start: Start, gated: GatedPlatform) -> None:
    message = queue(cast.ada, cast.conversations[0])
    gated.closed = {cast.account.platform_id}
    dispatcher = start()
    dispatcher.bucket.ready([cast.account.id])
    _until(dispatcher, lambda: gated.inside, "a call in the air")
    began = time.monotonic()
    dispatcher.close(0.5)
    assert 0.4 < time.monotonic() - began < 5
    assert fresh(message).status == "sending"
