"""Metrics: what was measured arrives on CloudWatch as it was; and whatever becomes of AWS, nobody waits for it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import config
from app.gateways import metrics
from app.gateways.metrics import WITHOUT_ROW, CloudWatch, Metric, Nowhere
from config import ROOT
from embedded import ports
from embedded.aws import REGION, AwsEndpoint

NAMESPACE = "Huntaze/OnlyFans"
QUICK = 0.5
Bind = Callable[..., CloudWatch]


@pytest.fixture
def cloudwatch(aws: AwsEndpoint) -> Iterator[Any]:
    """CloudWatch as somebody else sees it."""
    client = boto3.client("cloudwatch", region_name=REGION)
    yield client
    client.close()


@pytest.fixture
def bind(aws: AwsEndpoint) -> Iterator[Bind]:
    """`bind(CLOUDWATCH_NAMESPACE="Other")`: measure for CloudWatch; nobody does any more afterwards."""
    bound: list[CloudWatch] = []

    def to(**variables: str) -> CloudWatch:
        sink = metrics.bind(config.load(aws.environment() | variables))
        assert isinstance(sink, CloudWatch)
        bound.append(sink)
        return sink

    yield to
    for sink in bound:
        sink.close(5)
    metrics.bind(config.load({}))


def _statistics(cloudwatch: Any, metric: Metric, dimensions: dict[str, str] | None = None) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    found: list[dict[str, Any]] = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric.value,
        Dimensions=[{"Name": name, "Value": value} for name, value in (dimensions or {}).items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum", "SampleCount", "Maximum", "Minimum"],
    )["Datapoints"]
    return found


def _figures(points: list[dict[str, Any]]) -> tuple[float, ...]:
    (point,) = points
    return tuple(point[name] for name in ("Sum", "SampleCount", "Maximum", "Minimum"))


def test_counts_durations_and_gauges_arrive_with_their_units(bind: Bind, cloudwatch: Any) -> None:
    sink = bind()
    metrics.record(Metric.MESSAGES_QUEUED)
    metrics.record(Metric.MESSAGES_QUEUED, times=99)
    metrics.record(Metric.MESSAGES_FAILED, times=0)
    for seconds in (0.2519, 0.2521, 1.5, -0.1):
        metrics.record_duration(Metric.QUEUE_LATENCY, seconds)
    metrics.record_duration(Metric.OLDEST_OVERDUE, 61.4)
    metrics.record(Metric.QUEUE_DEPTH, 7)
    metrics.record(Metric.DEAD_LETTER_COUNT, 0, dimensions=WITHOUT_ROW)
    sink.send()
    assert _figures(_statistics(cloudwatch, Metric.MESSAGES_QUEUED)) == (100, 100, 1, 1)
    assert _statistics(cloudwatch, Metric.MESSAGES_FAILED) == []
    latency = _statistics(cloudwatch, Metric.QUEUE_LATENCY)
    assert _figures(latency) == (2000, 4, 1500, 0)
    assert _figures(_statistics(cloudwatch, Metric.OLDEST_OVERDUE)) == (61, 1, 61, 61)
    assert _figures(_statistics(cloudwatch, Metric.QUEUE_DEPTH)) == (7, 1, 7, 7)
    assert _figures(_statistics(cloudwatch, Metric.DEAD_LETTER_COUNT, WITHOUT_ROW)) == (0, 1, 0, 0)
    units = {point["Unit"] for point in latency}
    units |= {point["Unit"] for point in _statistics(cloudwatch, Metric.MESSAGES_QUEUED)}
    assert units == {"Milliseconds", "Count"}


def test_more_values_than_a_call_takes_arrive_in_several(bind: Bind, cloudwatch: Any) -> None:
    sink = bind()
    for value in range(1, 401):
        metrics.record(Metric.QUEUE_LATENCY, value)
    sink.send()
    assert _figures(_statistics(cloudwatch, Metric.QUEUE_LATENCY))[:2] == (400 * 401 / 2, 400)


def test_a_full_buffer_drops_what_is_new_and_never_waits() -> None:
    sink = CloudWatch(NAMESPACE, REGION, buffer_most=10)
    sink.closing.set()
    began = time.monotonic()
    for value in range(10_000):
        sink.record(Metric.QUEUE_LATENCY, value, 1, {})
        sink.record(Metric.MESSAGES_SENT, 1, 1, {})
    assert time.monotonic() - began < 2
    assert sink.buffer.size == 10
    assert sink.buffer.dropped == 10_000 - 9
    # What is counted already goes on being counted.
    assert sum(sum(values.values()) for values in sink.buffer.series.values()) == 10_000 + 9


def test_what_aws_could_not_take_is_sent_when_it_is_back(
    bind: Bind, cloudwatch: Any, monkeypatch: pytest.MonkeyPatch, aws: AwsEndpoint
) -> None:
    sink = bind()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports.free()}")
    for value in range(400):
        metrics.record(Metric.QUEUE_LATENCY, value)
    began = time.monotonic()
    metrics.record(Metric.MESSAGES_SENT, times=5)
    assert time.monotonic() - began < QUICK
    sink.send()
    assert sink.buffer.size == 401
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    sink.client = None
    sink.send()
    assert sink.buffer.size == 0
    assert _figures(_statistics(cloudwatch, Metric.MESSAGES_SENT))[:2] == (5, 5)
    assert _figures(_statistics(cloudwatch, Metric.QUEUE_LATENCY))[1] == 400


def test_the_thread_sends_what_is_there_when_the_program_ends(bind: Bind, cloudwatch: Any) -> None:
    bind()
    metrics.record(Metric.MESSAGES_SENT, times=3)
    metrics.close(5)
    assert _figures(_statistics(cloudwatch, Metric.MESSAGES_SENT))[:2] == (3, 3)


def test_an_end_waits_no_longer_than_it_may(bind: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CloudWatch, "send", lambda _: time.sleep(1.5))
    bind()
    metrics.record(Metric.MESSAGES_SENT)
    began = time.monotonic()
    metrics.close(0.2)
    assert time.monotonic() - began < 1


PROGRAM = """
import os
import config
from app.gateways import metrics
metrics.bind(config.load(os.environ))
metrics.record(metrics.Metric.MESSAGES_SENT, times=2)
if os.fork() == 0:
    metrics.record(metrics.Metric.MESSAGES_QUEUED, times=4)
    metrics.close(5)
    os._exit(0)
os.wait()
"""


def test_a_program_and_its_fork_each_send_their_own_at_exit(aws: AwsEndpoint, cloudwatch: Any) -> None:
    known = os.environ | aws.environment()
    subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=ROOT, env=known, timeout=60, check=True)
    assert _figures(_statistics(cloudwatch, Metric.MESSAGES_SENT))[:2] == (2, 2)
    assert _figures(_statistics(cloudwatch, Metric.MESSAGES_QUEUED))[:2] == (4, 4)


@pytest.mark.parametrize("variables", [{"CLOUDWATCH_NAMESPACE": "off"}, {"SQS_RATE_LIMITER_QUEUE": ""}])
def test_where_nothing_is_configured_nothing_is_kept(aws: AwsEndpoint, variables: dict[str, str]) -> None:
    sink = metrics.bind(config.load(aws.environment() | variables))
    assert isinstance(sink, Nowhere)
    metrics.record(Metric.MESSAGES_SENT)
    metrics.close()


def test_a_namespace_that_aws_would_refuse_stops_the_start() -> None:
    for name in ("AWS/SQS", "with space", "x" * 256):
        with pytest.raises(config.ConfigError, match="CLOUDWATCH_NAMESPACE"):
            config.load({"CLOUDWATCH_NAMESPACE": name})
