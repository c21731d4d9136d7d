"""Metrics for CloudWatch: gathered in memory, sent once a minute from a thread of their own, dropped rather than waited
for. Rooms call `record` after their commit; it costs about a microsecond, whatever becomes of AWS.
"""

import atexit
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from app import clock
from app.gateways import aws
from config import Settings

log = logging.getLogger(__name__)
SEND_EVERY = 60.0
SEND_TIMEOUT = 5.0
CLOSE_WITHIN = 1.5
MINUTE = 60
# Distinct values, each of a metric in a minute: more than an hour of a busy process.
BUFFER_MOST = 20_000
VALUES_A_DATUM = 150
DATA_A_CALL = 100
DIGITS = 2


class Metric(StrEnum):
    """What is measured. `ATTEMPTS` are calls that send, but for those that the platform asked to make later."""

    MESSAGES_QUEUED = "MessagesQueued"
    MESSAGES_SENT = "MessagesSent"
    MESSAGES_FAILED = "MessagesFailed"
    RATE_LIMITED_MESSAGES = "RateLimitedMessages"
    QUEUE_LATENCY = "QueueLatency"
    EXCESS_LATENCY = "ExcessLatency"
    QUEUE_DEPTH = "QueueDepth"
    DEAD_LETTER_COUNT = "DeadLetterCount"
    CAMPAIGN_RECIPIENTS = "CampaignRecipients"
    OVERDUE_MESSAGES = "OverdueMessages"
    OLDEST_OVERDUE = "OldestOverdue"
    ATTEMPTS = "Attempts"
    ATTEMPT_ERRORS = "AttemptErrors"


UNITS = {
    Metric.QUEUE_LATENCY: "Milliseconds",
    Metric.EXCESS_LATENCY: "Milliseconds",
    Metric.OLDEST_OVERDUE: "Seconds",
}
# The one dimension that there is: CloudWatch takes money for each combination.
WITHOUT_ROW = {"Tickets": "WithoutMessage"}


class Sink(Protocol):
    """Where measurements go; none of it ever raises or waits, but for `close`."""

    def record(self, metric: Metric, value: float, times: int, dimensions: dict[str, str]) -> None:
        """`value` was measured so many `times`, now."""

    def close(self, timeout: float) -> None:
        """Send what is there, within `timeout` seconds."""


class Nowhere:
    """Implements `Sink` where no CloudWatch is configured."""

    def record(self, metric: Metric, value: float, times: int, dimensions: dict[str, str]) -> None:
        """Forget it."""

    def close(self, timeout: float) -> None:
        """Nothing is there."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric with one set of dimensions, in one minute (seconds since 1970)."""

    metric: Metric
    dimensions: tuple[tuple[str, str], ...]
    minute: int


Values = dict[float, int]


@dataclass(slots=True)
class Buffer:
    """What was measured and isn't sent: value → how often, by series. At most `most` distinct values in all."""

    most: int = BUFFER_MOST
    series: dict[Series, Values] = field(default_factory=dict)
    size: int = 0
    dropped: int = 0

    def add(self, series: Series, value: float, times: int) -> None:
        """Count a value; dropped when it is a new one and the buffer is full."""
        values = self.series.get(series)
        if values is not None and value in values:
            values[value] += times
        elif self.size >= self.most:
            self.dropped += times
        else:
            self.series.setdefault(series, {})[value] = times
            self.size += 1

    def merge(self, data: list[tuple[Series, Values]]) -> None:
        """Put back what couldn't be sent."""
        for series, values in data:
            for value, times in values.items():
                self.add(series, value, times)


class CloudWatch:
    """Implements `Sink`: a buffer, and a thread that empties it every minute. It begins with the first measurement."""

    def __init__(self, namespace: str, region: str, buffer_most: int = BUFFER_MOST) -> None:
        self.namespace = namespace
        self.region = region
        self.buffer_most = buffer_most
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a fork: what the parent measured is the parent's, its thread isn't here, and its locks may be held."""
        self.lock = threading.Lock()
        self.buffer = Buffer(self.buffer_most)
        self.thread: threading.Thread | None = None
        self.closing = threading.Event()
        self.client: Any = None

    def record(self, metric: Metric, value: float, times: int, dimensions: dict[str, str]) -> None:
        """Count it in memory; the thread sends it within a minute."""
        minute = int(clock.now().timestamp()) // MINUTE * MINUTE
        with self.lock:
            self.buffer.add(Series(metric, tuple(dimensions.items()), minute), value, times)
            if self.thread is None and not self.closing.is_set():
                self.thread = threading.Thread(target=self._keep_sending, name="metrics", daemon=True)
                self.thread.start()

    def close(self, timeout: float) -> None:
        """Have the thread send what is there and end; what it can't send within `timeout` seconds is lost."""
        self.closing.set()
        if self.thread is not None:
            self.thread.join(timeout)

    def send(self) -> None:
        """Send everything that was measured. What AWS can't take now stays for the next time, what it refuses not."""
        with self.lock:
            taken, self.buffer = self.buffer, Buffer(self.buffer_most)
        if taken.dropped:
            log.warning("metrics_dropped", extra={"count": taken.dropped})
        parts = _parts(taken)
        while batch := list(islice(parts, DATA_A_CALL)):
            try:
                self._put([_datum(series, values) for series, values in batch])
            except (BotoCoreError, OSError) as error:
                log.warning("metrics_unsent", extra={"reason": type(error).__name__})
                with self.lock:
                    self.buffer.merge([*batch, *parts])
                return
            except ClientError as error:
                log.error("metrics_refused", extra={"reason": aws.code(error)})

    def _put(self, data: list[dict[str, Any]]) -> None:
        if self.client is None:
            session = boto3.session.Session()
            config = aws.config(SEND_TIMEOUT)
            self.client = session.client("cloudwatch", region_name=self.region, config=config)
        self.client.put_metric_data(Namespace=self.namespace, MetricData=data)

    def _keep_sending(self) -> None:
        while not self.closing.wait(SEND_EVERY):
            self._send_or_log()
        self._send_or_log()
        if self.client is not None:
            self.client.close()

    def _send_or_log(self) -> None:
        try:
            self.send()
        except Exception:
            log.exception("metrics_fault")


def _parts(buffer: Buffer) -> Iterator[tuple[Series, Values]]:
    """Each series, in parts of as many values as CloudWatch takes at once."""
    for series, values in buffer.series.items():
        items = iter(values.items())
        while part := dict(islice(items, VALUES_A_DATUM)):
            yield series, part


def _datum(series: Series, values: Values) -> dict[str, Any]:
    return {
        "MetricName": series.metric.value,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
        "Timestamp": datetime.fromtimestamp(series.minute, UTC),
        "Values": [float(value) for value in values],
        "Counts": [float(times) for times in values.values()],
        "Unit": UNITS.get(series.metric, "Count"),
    }


_sinks: list[Sink] = [Nowhere()]


def bind(settings: Settings) -> Sink:
    """From now on this process measures for CloudWatch, or for nobody where neither namespace nor queue is set."""
    if settings.cloudwatch_namespace is None or settings.sqs_queue_url is None:
        _sinks[:] = [Nowhere()]
    else:
        _sinks[:] = [CloudWatch(settings.cloudwatch_namespace, settings.aws_region)]
    return _sinks[0]


def record(metric: Metric, value: float = 1, times: int = 1, dimensions: dict[str, str] | None = None) -> None:
    """`value` (for a count: 1) was measured so many `times`. Call it after the commit."""
    if times:
        _sinks[0].record(metric, value, times, dimensions or {})


def record_duration(metric: Metric, seconds: float) -> None:
    """A duration, in the metric's unit and to two digits: what percentiles need, in few distinct values."""
    value = max(0.0, seconds) * (1000 if UNITS[metric] == "Milliseconds" else 1)
    record(metric, float(f"{value:.{DIGITS}g}"))


def close(timeout: float = CLOSE_WITHIN) -> None:
    """Send what this process measured, before it ends. Runs by itself at a usual exit."""
    _sinks[0].close(timeout)


def _begin_anew() -> None:
    if isinstance(_sinks[0], CloudWatch):
        _sinks[0].begin_anew()


atexit.register(close)
os.register_at_fork(after_in_child=_begin_anew)
