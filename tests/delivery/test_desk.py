"""The desk: what doors learn of delivery, and that no part that is away ever makes it raise."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.db import database_now
from app.delivery import heartbeat, stop
from app.delivery.desk import Allowance, Desk, QueueDepths
from app.delivery.relay import Relay
from app.delivery.token_bucket import Ended, TokenBucket
from app.extensions import connect_redis
from app.messages.models import Message, Status
from tests.delivery.queues import UnrulyQueue, drain, put
from tests.delivery.virtual import LIMIT, TIMEOUT, VirtualRedis
from tests.messages.line import change, fresh
from tests.messages.line import queue as accept
from tests.support.apps import MakeSettings
from tests.support.cast import Cast

SECOND = timedelta(seconds=1)
MakeDesk = Callable[..., Desk]


@pytest.fixture
def make(queue: UnrulyQueue, dead_letters: UnrulyQueue, relay: Relay, virtual: VirtualRedis) -> MakeDesk:
    """`make(sending=True)`: a desk on the real parts."""
    return lambda sending=True: Desk(virtual.bucket(), relay, (queue, dead_letters), LIMIT, sending)


@pytest.fixture
def desk(make: MakeDesk, cast: Cast, virtual: VirtualRedis) -> Desk:
    """A desk where all is well: a worker is alive, Ada's account and Eve's are known to Redis."""
    heartbeat.beat("worker", "delivery")
    virtual.admit(cast.account.id, cast.eves_account.id)
    return make()


@pytest.fixture
def without_redis(desk: Desk, tmp_path: Path) -> Desk:
    """The same desk after Redis has gone."""
    desk.bucket = TokenBucket(connect_redis(f"unix://{tmp_path}/nobody.sock"), LIMIT, TIMEOUT)
    return desk


def _messages(cast: Cast, count: int, **changes: object) -> list[Message]:
    messages = [accept(cast.ada, cast.conversations[number % 3]) for number in range(count)]
    for message in messages if changes else ():
        change(message, **changes)
    return [fresh(message) for message in messages]


def _use(virtual: VirtualRedis, account_id: int, calls: int) -> None:
    """Make that many calls of the account, each answered at once."""
    for number in range(calls):
        _call(virtual, account_id, "clear", number)


def _call(virtual: VirtualRedis, account_id: int, verdict: str, message_id: int) -> None:
    bucket = virtual.bucket()
    bucket.ready([account_id])
    slots = {slot.account_id: slot for slot in bucket.take(10).slots}
    slot = slots.pop(account_id)
    bucket.give_back(list(slots.values()))
    bucket.finish([Ended(account_id, slot.name, slot.start_ms, message_id, verdict)])
    virtual.pass_time(1100)


def test_a_ticket_is_on_the_queue_when_the_door_answers(cast: Cast, desk: Desk, queue: UnrulyQueue) -> None:
    message = accept(cast.ada, cast.conversations[0], received=False)
    desk.publish([message.id])
    assert [body["messageId"] for body in drain(queue)] == [message.public_id]
    assert fresh(message).sqs_message_id is not None
    assert message.published_at is not None


def test_a_queue_that_is_away_costs_a_door_nothing_but_the_ticket(cast: Cast, desk: Desk, queue: UnrulyQueue) -> None:
    queue.away = True
    message = accept(cast.ada, cast.conversations[0], received=False)
    for _ in range(3):
        desk.publish([message.id])
    fresh(message)
    assert (message.status, message.sqs_message_id, message.published_at) == (Status.QUEUED, None, None)
    assert queue.sends == 1


@pytest.mark.usefixtures("aws")
def test_a_door_waits_a_second_for_a_queue_that_hangs(
    make_settings: MakeSettings, cast: Cast, virtual: VirtualRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = accept(cast.ada, cast.conversations[0], received=False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        settings = make_settings(SQS_RATE_LIMITER_QUEUE=f"{url}/1/queue", SQS_RATE_LIMITER_DLQ=f"{url}/1/dead")
        desk = Desk.build(settings, virtual.client)
        began = time.monotonic()
        desk.publish([message.id])
        assert 0.5 < time.monotonic() - began < 3
    assert fresh(message).sqs_message_id is None


def test_who_is_next_goes_at_once_and_the_fourth_after_a_window(cast: Cast, desk: Desk) -> None:
    waits = desk.waits(_messages(cast, 4))
    now = database_now()
    assert [wait.place for wait in waits.values()] == [1, 2, 3, 4]
    assert [wait.reason for wait in waits.values()] == [None] * 4
    expected = [wait.expected_at for wait in waits.values()]
    assert None not in expected
    seconds = [(moment - now).total_seconds() for moment in expected if moment]
    assert seconds == pytest.approx([0, 1, 2, 10.3], abs=0.5)


def test_calls_that_were_made_are_waited_for(cast: Cast, desk: Desk, virtual: VirtualRedis) -> None:
    (message,) = _messages(cast, 1)
    _use(virtual, cast.account.id, 3)
    expected = desk.estimate(message)
    assert expected is not None
    # The first of the three ended 3.3 s ago; its slot comes back a window of 10 s after that.
    assert (expected - database_now()).total_seconds() == pytest.approx(6.7, abs=0.5)


def test_a_message_that_waits_for_its_next_attempt_is_not_expected_earlier(cast: Cast, desk: Desk) -> None:
    later = database_now() + 30 * SECOND
    (message,) = _messages(cast, 1, next_attempt_at=later)
    assert desk.estimate(message) == later


@pytest.mark.parametrize("status", [Status.SENT, Status.FAILED, Status.CANCELED, Status.UNKNOWN])
def test_what_came_to_its_end_waits_for_nothing(cast: Cast, desk: Desk, status: Status) -> None:
    (message,) = _messages(cast, 1, status=status)
    wait = desk.waiting(message)
    assert (wait.place, wait.expected_at, wait.reason) == (0, None, None)


def test_what_is_scheduled_goes_when_it_is_due(cast: Cast, desk: Desk) -> None:
    due = database_now() + timedelta(hours=5)
    (message,) = _messages(cast, 1, status=Status.SCHEDULED, due_at=due)
    wait = desk.waiting(message)
    assert (wait.place, wait.expected_at, wait.reason) == (0, due, None)


def test_many_waits_ask_redis_once_for_each_account(cast: Cast, desk: Desk, virtual: VirtualRedis) -> None:
    messages = [*_messages(cast, 6), accept(cast.eve, cast.eves_conversation)]
    virtual.client.config_resetstat()
    waits = desk.waits(messages)
    assert [wait.place for wait in waits.values()].count(1) == 2
    statistics = virtual.client.info("commandstats")
    assert statistics["cmdstat_evalsha"]["calls"] == 2


def test_while_nothing_moves_there_is_a_reason_and_no_time(cast: Cast, desk: Desk) -> None:
    (message,) = _messages(cast, 1)
    assert desk.standstill(cast.account.id) is None
    stop.set_stop(None)
    wait = desk.waiting(message)
    assert (wait.place, wait.expected_at) == (1, None)
    assert wait.reason == desk.standstill(cast.account.id)
    assert "stopped for everybody" in (wait.reason or "")


def test_without_a_worker_or_with_sending_switched_off_nothing_moves(cast: Cast, desk: Desk, make: MakeDesk) -> None:
    assert "stopped for everybody" in (make(sending=False).standstill(cast.account.id) or "")
    heartbeat.leave("worker")
    assert "No worker is running" in (desk.standstill(cast.account.id) or "")


def test_an_open_breaker_is_a_reason_of_its_account_alone(cast: Cast, desk: Desk, virtual: VirtualRedis) -> None:
    for message_id in range(3):
        _call(virtual, cast.account.id, "unclear", message_id)
    assert "doesn't answer for this account" in (desk.standstill(cast.account.id) or "")
    assert desk.standstill(cast.eves_account.id) is None


def test_the_allowance_counts_calls_and_says_when_the_first_is_forgotten(
    cast: Cast, desk: Desk, virtual: VirtualRedis
) -> None:
    assert desk.allowance(cast.account.id) == Allowance(3, 10.0, 3, None)
    _use(virtual, cast.account.id, 2)
    allowance = desk.allowance(cast.account.id)
    assert allowance is not None
    assert allowance.remaining == 1
    assert allowance.reset_at is not None
    assert (allowance.reset_at - database_now()).total_seconds() == pytest.approx(7.8, abs=0.5)
    assert desk.allowance(cast.eves_account.id) == Allowance(3, 10.0, 3, None)
    virtual.pass_time(10_000)
    assert desk.allowance(cast.account.id) == Allowance(3, 10.0, 3, None)


def test_without_redis_it_answers_all_the_same(cast: Cast, without_redis: Desk) -> None:
    (message,) = _messages(cast, 1)
    wait = without_redis.waiting(message)
    assert (wait.place, wait.expected_at) == (1, None)
    assert "(Redis) can't be reached" in (wait.reason or "")
    assert without_redis.allowance(cast.account.id) is None
    assert (without_redis.redis_answers(), without_redis.active(), without_redis.enabled()) == (False, False, True)


def test_it_is_enabled_unless_stopped_or_switched_off(make: MakeDesk, cast: Cast) -> None:
    assert (make().enabled(), make(sending=False).enabled()) == (True, False)
    stop.set_stop(cast.olga.id)
    assert not make().enabled()


def test_it_is_active_while_a_delivery_worker_is_seen(make: MakeDesk, cast: Cast) -> None:
    assert not make().active()
    heartbeat.beat("other", "background")
    assert not make().active()
    heartbeat.beat("worker", "delivery")
    assert make().active()


def test_depths_are_what_the_queues_say(cast: Cast, desk: Desk, queue: UnrulyQueue, dead_letters: UnrulyQueue) -> None:
    desk.publish([accept(cast.ada, cast.conversations[0], received=False).id for _ in range(3)])
    assert desk.queue_depths() == QueueDepths(visible=3, in_flight=0, dead=0)
    queue.queue.receive(0)
    put(dead_letters, "{}", "{}")
    dead_letters.queue.receive(0)
    assert desk.queue_depths() == QueueDepths(visible=0, in_flight=3, dead=2)


@pytest.mark.parametrize("which", ["queue", "dead_letters"])
def test_depths_that_nobody_knows_are_none(desk: Desk, request: pytest.FixtureRequest, which: str) -> None:
    request.getfixturevalue(which).away = True
    assert desk.queue_depths() is None
    setattr(desk, which, None)
    assert desk.queue_depths() is None
