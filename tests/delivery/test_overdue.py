"""Overdue is what the limit would have let go by now: not what waits for it, nor what somebody has stopped."""

from datetime import timedelta

import pytest
from flask import Flask

from app.accounts import operating
from app.delivery import heartbeat, overdue, stop
from app.delivery.gauges import SORTED_EVERY, Gauges
from app.delivery.overdue import Overdue
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.extensions import connect_redis
from app.gateways import metrics
from app.gateways.metrics import WITHOUT_ROW, CloudWatch, Metric
from app.messages import outcomes
from app.messages.models import Step
from app.messages.outcomes import Failed, Later
from tests.delivery.queues import UnrulyQueue, put
from tests.delivery.virtual import LIMIT, TIMEOUT, VirtualRedis
from tests.messages import line
from tests.support.cast import Cast

NOTHING = Overdue(0, 0.0)


def _queue(cast: Cast, many: int = 1) -> None:
    for number in range(many):
        line.queue(cast.ada, cast.conversations[number % 3], f"Number {number}")


def _wait(virtual: VirtualRedis, seconds: float) -> None:
    """Let time pass everywhere."""
    line.pass_time(timedelta(seconds=seconds))
    virtual.pass_time(int(seconds * 1000))


@pytest.mark.usefixtures("any_database")
def test_a_message_is_overdue_from_when_its_account_could_have_had_a_slot(cast: Cast, virtual: VirtualRedis) -> None:
    """Three calls in 10 s, a second apart."""
    virtual.admit(cast.account.id)
    bucket = virtual.bucket()
    assert overdue.find(bucket) == NOTHING
    _queue(cast, 30)
    for _ in range(3):
        _wait(virtual, 1.2)
        assert len(virtual.bucket().take(1).slots) == 1
    _wait(virtual, 9.0)
    assert overdue.find(bucket) == NOTHING
    _wait(virtual, 25.0)
    found = overdue.find(bucket)
    # The last call counts as ended 9 s after its start, and its slot came back 10 s later.
    assert found.oldest == pytest.approx(34.0 + 2 * 1.2 - 19.0, abs=1.5)
    assert found.messages == 1 + int(found.oldest * 3 / 10)


def test_what_somebody_stopped_or_the_line_explains_is_not_overdue(cast: Cast, virtual: VirtualRedis) -> None:
    virtual.admit(cast.account.id)
    bucket = virtual.bucket()
    _queue(cast)
    _wait(virtual, 100)
    assert overdue.find(bucket).messages == 1
    stop.set_stop(None)
    assert overdue.find(bucket) == NOTHING
    stop.clear_stop(None)
    operating.stop(cast.account.platform_id)
    assert overdue.find(bucket) == NOTHING
    operating.resume(cast.account.platform_id)
    outcomes.record([(line.must_claim(cast.account), Later(Step.SEND, 3600, "slow down", counted=False))])
    assert overdue.find(bucket) == NOTHING


def test_a_ticket_that_never_came_in_makes_its_message_overdue(cast: Cast, virtual: VirtualRedis) -> None:
    virtual.admit(cast.account.id)
    line.queue(cast.ada, cast.conversations[0], received=False)
    _wait(virtual, 700)
    found = overdue.find(virtual.bucket())
    assert (found.messages, found.oldest) == (1, pytest.approx(700, abs=5))


def test_without_redis_a_window_after_the_last_call_a_slot_counts_as_free(cast: Cast) -> None:
    _queue(cast, 2)
    outcomes.record([(line.must_claim(cast.account), Failed("no"))])
    bucket = TokenBucket(connect_redis("redis://127.0.0.1:9"), LIMIT, TIMEOUT)
    assert overdue.find(bucket) == NOTHING
    line.pass_time(timedelta(seconds=119))
    assert overdue.find(bucket).oldest == pytest.approx(100, abs=2)


@pytest.fixture
def sink(app: Flask, make_settings: object, aws: object) -> CloudWatch:
    """Measurements, which nobody sends."""
    bound = metrics.bind(make_settings(CLOUDWATCH_NAMESPACE="Huntaze/Tests"))  # type: ignore[operator]
    assert isinstance(bound, CloudWatch)
    bound.closing.set()
    return bound


def _read(gauges: Gauges, sink: CloudWatch) -> dict[tuple[str, bool], float]:
    sink.begin_anew()
    sink.closing.set()
    gauges.read()
    return {
        (series.metric.value, bool(series.dimensions)): max(values) for series, values in sink.buffer.series.items()
    }


def test_one_worker_of_all_reads_the_gauges(
    cast: Cast,
    sink: CloudWatch,
    virtual: VirtualRedis,
    relay: Relay,
    queue: UnrulyQueue,
    dead_letters: UnrulyQueue,
) -> None:
    for name in ("a", "b"):
        heartbeat.beat(name, "delivery")
    heartbeat.beat("0", "background")
    virtual.admit(cast.account.id)
    first, second = (Gauges(name, relay, virtual.bucket(), sending=True) for name in ("a", "b"))
    _queue(cast)
    _wait(virtual, 100)
    put(queue, "one", "two")
    put(dead_letters, "no json")
    assert _read(second, sink) == {}
    gauged = {
        (Metric.OVERDUE_MESSAGES, False): 1,
        (Metric.OLDEST_OVERDUE, False): 100,
        (Metric.QUEUE_DEPTH, False): 2,
        (Metric.DEAD_LETTER_COUNT, False): 1,
        (Metric.DEAD_LETTER_COUNT, bool(WITHOUT_ROW)): 1,
    }
    assert _read(first, sink) == gauged
    heartbeat.leave("a")
    assert _read(first, sink) == {}
    queue.away = True
    assert set(_read(second, sink)) == {(Metric.OVERDUE_MESSAGES, False), (Metric.OLDEST_OVERDUE, False)}


def test_dead_letters_are_sorted_only_when_their_number_changes_or_seldom(
    sink: CloudWatch, virtual: VirtualRedis, relay: Relay, dead_letters: UnrulyQueue
) -> None:
    heartbeat.beat("a", "delivery")
    gauges = Gauges("a", relay, virtual.bucket(), sending=False)
    put(dead_letters, "no json")
    key = (Metric.DEAD_LETTER_COUNT, True)
    assert _read(gauges, sink)[key] == 1
    gauges.without_row = 77
    assert _read(gauges, sink)[key] == 77
    gauges.sorted_at -= SORTED_EVERY + 1
    assert _read(gauges, sink)[key] == 1
    put(dead_letters, "no json")
    assert _read(gauges, sink)[key] == 2
