"""The pipeline in slices, on real parts: what was accepted arrives once, whatever goes away meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app.accounts.connection import Keys
from app.delivery import heartbeat, pipeline, slices
from app.delivery.courier import Courier
from app.delivery.dispatcher import Dispatcher
from app.delivery.housekeeping import Housekeeping
from app.delivery.intake import Intake
from app.delivery.pipeline import AFTER_A_FAULT, Pipeline
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.extensions import connect_redis, db
from app.messages.models import Message
from config import DEVELOPMENT_ENCRYPTION_KEY, RateLimit
from tests.delivery.gated import GatedPlatform
from tests.delivery.queues import UnrulyQueue
from tests.delivery.virtual import TIMEOUT
from tests.journeys.waiting import until
from tests.messages.line import fresh, pass_time
from tests.messages.line import queue as accept
from tests.messages.test_handover import NEVER_RECEIVED
from tests.support.cast import Cast

QUICK = RateLimit(messages=50, window=5.0, min_gap=0.0)
Build = Callable[..., Pipeline]


@pytest.fixture
def build(app: Flask, redis_url: str, relay: Relay, queue: UnrulyQueue, gated: GatedPlatform) -> Iterator[Build]:
    """`build(sending=True, redis_url=…)`: a worker's pipeline; it is closed with the test."""
    made: list[Pipeline] = []

    def pipeline(sending: bool = True, redis_url: str = redis_url) -> Pipeline:
        bucket = TokenBucket(connect_redis(redis_url, 1.0), QUICK, TIMEOUT)
        keys = Keys(DEVELOPMENT_ENCRYPTION_KEY, "key")
        context: Callable[[], AbstractContextManager[object]] = app.app_context
        made.append(
            Pipeline(
                context=context,
                dispatcher=Dispatcher(bucket, Courier(gated, keys), 8),
                housekeeping=Housekeeping("worker", relay, bucket, gated, keys),
                intake=Intake(queue, relay, bucket),
                sending=sending,
            )
        )
        return made[-1]

    yield pipeline
    gated.gate.set()
    for one in made:
        one.close()
        for thread in one.threads:
            thread.join(5)


def _accept(cast: Cast, relay: Relay, count: int = 1) -> list[Message]:
    """Messages of Ada's and of Eve's, published by their doors."""
    pairs = [(cast.ada, cast.conversations[0]), (cast.ada, cast.conversations[1]), (cast.eve, cast.eves_conversation)]
    messages = [accept(*pairs[number % 3], f"Number {number}", received=False) for number in range(count)]
    relay.publish_now([message.id for message in messages])
    return messages


def _statuses(messages: list[Message]) -> set[str]:
    db.session.rollback()
    return {fresh(message).status for message in messages}


def _run_until(one: Pipeline, condition: Callable[[], object], seconds: float = 20) -> None:
    def turned() -> object:
        one.run_slice(0.2)
        return condition()

    until(turned, "what slices were to do", seconds)


def _deliver(one: Pipeline, messages: list[Message]) -> None:
    _run_until(one, lambda: _statuses(messages) == {"sent"})


def _delivered(gated: GatedPlatform, messages: list[Message]) -> list[int]:
    return [len(gated.delivered(message.public_id)) for message in messages]


@pytest.mark.parametrize("mood", ["orderly", "doubled", "reversed", "withheld"])
def test_what_was_accepted_arrives_once_however_the_queue_behaves(
    cast: Cast, build: Build, relay: Relay, queue: UnrulyQueue, gated: GatedPlatform, mood: str
) -> None:
    setattr(queue, mood, 4 if mood == "withheld" else True)
    messages = _accept(cast, relay, 12)
    _deliver(build(), messages)
    assert _delivered(gated, messages) == [1] * 12
    for number in range(3):
        own = [letter.text for letter in gated.sends if letter.text in {m.text for m in messages[number::3]}]
        assert own == [message.text for message in messages[number::3]]


def test_two_workers_share_the_work_and_send_nothing_twice(
    cast: Cast, build: Build, relay: Relay, gated: GatedPlatform, app: Flask
) -> None:
    messages = _accept(cast, relay, 15)
    first, second = build(), build()
    thread = threading.Thread(target=second.run_slice, args=(3.0,))
    thread.start()
    _deliver(first, messages)
    second.stop()
    thread.join(10)
    assert _delivered(gated, messages) == [1] * 15


def test_switched_off_it_takes_messages_in_and_keeps_them(
    cast: Cast, build: Build, relay: Relay, gated: GatedPlatform
) -> None:
    messages = _accept(cast, relay, 3)
    one = build(sending=False)
    _run_until(one, lambda: _statuses(messages) == {"queued"} and all(message.received_at for message in messages))
    one.run_slice(0.5)
    assert gated.sends == []
    assert heartbeat.alive("delivery") == 1
    _deliver(build(), messages)


def test_a_slice_ends_in_its_time_whatever_hangs(cast: Cast, build: Build, relay: Relay, gated: GatedPlatform) -> None:
    gated.closed = {cast.account.platform_id}
    messages = _accept(cast, relay, 3)
    one = build()
    _run_until(one, lambda: gated.inside)
    began = time.monotonic()
    one.run_slice(0.3)
    assert 0.25 < time.monotonic() - began < 3
    # Eve's message doesn't wait for Ada's calls.
    _deliver(one, messages[2:])
    gated.gate.set()
    _deliver(one, messages)
    assert _delivered(gated, messages) == [1] * 3


def test_stopping_ends_the_slice_at_once(build: Build, cast: Cast) -> None:
    one = build()
    threading.Timer(0.5, one.stop).start()
    began = time.monotonic()
    one.run_slice(25)
    assert time.monotonic() - began < 5


def test_closing_writes_down_what_is_in_the_air_and_says_goodbye(
    cast: Cast, build: Build, relay: Relay, gated: GatedPlatform
) -> None:
    gated.closed = {cast.account.platform_id}
    (message,) = _accept(cast, relay)
    one = build()
    _run_until(one, lambda: gated.inside)
    assert heartbeat.alive("delivery") == 1
    threading.Timer(0.3, gated.gate.set).start()
    one.close()
    assert _statuses([message]) == {"sent"}
    assert heartbeat.alive("delivery") == 0


def test_without_redis_a_step_keeps_house_and_sends_nothing(
    cast: Cast, build: Build, relay: Relay, gated: GatedPlatform, tmp_path: Path
) -> None:
    (message,) = _accept(cast, relay)
    one = build(redis_url=f"unix://{tmp_path}/nobody.sock")
    assert one.step() == AFTER_A_FAULT
    assert heartbeat.alive("delivery") == 1
    _run_until(one, lambda: _statuses([message]) and message.received_at)
    assert gated.sends == []
    _deliver(build(), [message])


def test_without_the_database_a_step_waits_and_then_goes_on(
    cast: Cast, build: Build, relay: Relay, gated: GatedPlatform
) -> None:
    messages = _accept(cast, relay, 3)
    one = build()
    _rename("message", "message_away")
    try:
        assert one.step() == AFTER_A_FAULT
        one.run_slice(0.5)
        assert gated.sends == []
    finally:
        _rename("message_away", "message")
    # What the queue had given out by then comes again after its visibility time, or is published again.
    pass_time(NEVER_RECEIVED)
    _deliver(one, messages)
    assert _delivered(gated, messages) == [1] * 3


def _rename(old: str, new: str) -> None:
    db.session.rollback()
    db.session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
    db.session.commit()


def test_a_queue_that_goes_away_and_comes_back_loses_nothing(
    cast: Cast, build: Build, relay: Relay, queue: UnrulyQueue, gated: GatedPlatform
) -> None:
    messages = _accept(cast, relay, 3)
    queue.away = True
    one = build()
    one.run_slice(0.5)
    assert _statuses(messages) == {"queued"}
    queue.away = False
    _deliver(one, messages)
    assert _delivered(gated, messages) == [1] * 3


def test_its_threads_rest_when_nobody_asks_for_slices_any_more(
    cast: Cast, build: Build, relay: Relay, queue: UnrulyQueue
) -> None:
    one = build()
    one.run_slice(0.3)
    one.active_until -= pipeline.ACTIVE_FOR
    time.sleep(0.6)
    messages = _accept(cast, relay, 3)
    time.sleep(0.6)
    assert queue.depth().visible == 3
    _deliver(one, messages)


def test_a_job_is_a_slice_of_the_pipeline_that_the_process_has(
    cast: Cast, build: Build, relay: Relay, gated: GatedPlatform
) -> None:
    messages = _accept(cast, relay, 3)
    slices.bind(build())

    def one_more() -> bool:
        slices.deliver(1)
        return _statuses(messages) == {"sent"}

    until(one_more, "the slices' work", 20)
    assert _delivered(gated, messages) == [1] * 3
