"""What calls that ended are counted as: latency is all of the wait, excess only what the limit doesn't explain."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import config
from app.delivery import tally
from app.delivery.courier import Report
from app.delivery.recorder import Settled
from app.gateways import metrics
from app.gateways.metrics import CloudWatch, Metric
from app.messages.models import Step
from app.messages.outcomes import Failed, Later, Result, Sent, Unknown
from tests.delivery.envelopes import CLAIMED, envelope

URL = "http://127.0.0.1:9/1/queue"
UNCLEAR = Later(Step.LOOK_UP, 1, "no answer", unclear=True)
LATER = Later(Step.SEND, 30, "slow down", counted=False)


@pytest.fixture
def sink() -> Iterator[CloudWatch]:
    """Measurements, which nobody sends."""
    bound = metrics.bind(config.load({"SQS_RATE_LIMITER_QUEUE": URL}))
    assert isinstance(bound, CloudWatch)
    bound.closing.set()
    yield bound
    metrics.bind(config.load({}))


def _measured(sink: CloudWatch) -> dict[str, dict[float, int]]:
    found = {series.metric.value: values for series, values in sink.buffer.series.items()}
    sink.begin_anew()
    sink.closing.set()
    return found


def _ago(seconds: float) -> Any:
    return CLAIMED - timedelta(seconds=seconds)


def _settled(result: Result, seconds: float = 0.3, **changes: Any) -> Settled:
    report = {name: changes.pop(name) for name in ("unreachable_fan",) if name in changes}
    at = CLAIMED + timedelta(seconds=seconds)
    return Settled(Report(envelope(**changes), result, "clear", **report), at)


WAITS = [
    # queued before the claim, slot could have been had before the claim → excess, and whether it waited for a slot
    ("at once", 0.02, 1000.0, 320, False),
    ("ten minutes for its slot", 600.0, 0.05, 350, True),
    ("a slow worker", 40.0, 12.0, 12_000, True),
    ("a very slow worker", 40.0, 100.0, 40_000, False),
]


@pytest.mark.parametrize(("queued", "idle", "excess", "limited"), [row[1:] for row in WAITS], ids=[r[0] for r in WAITS])
def test_only_what_the_limit_does_not_explain_is_excess(
    sink: CloudWatch, queued: float, idle: float, excess: float, limited: bool
) -> None:
    tally.count([(_settled(Sent("9"), queued_at=_ago(queued), ready_at=_ago(queued)), idle)])
    found = _measured(sink)
    assert list(found["QueueLatency"]) == [float(f"{(queued + 0.3) * 1000:.2g}")]
    assert list(found["ExcessLatency"]) == [float(f"{excess:.2g}")]
    assert ("RateLimitedMessages" in found) is limited


def test_from_the_first_unclear_end_on_all_but_the_slot_is_excess(sink: CloudWatch) -> None:
    times = {"queued_at": _ago(100), "first_unclear_at": _ago(50), "ready_at": _ago(20), "attempts": 2}
    tally.count([(_settled(Sent("9"), **times), 5.0), (_settled(Sent("9"), step=Step.LOOK_UP, **times), 0.0)])
    found = _measured(sink)
    assert found["ExcessLatency"] == {35_000: 1, 50_000: 1}
    assert found["Attempts"] == {1: 1}


def test_what_the_platform_took_is_an_attempt_and_what_went_wrong_an_error(sink: CloudWatch) -> None:
    known = {"queued_at": _ago(1), "ready_at": _ago(1)}
    results = (Sent("9"), Sent("10"), Failed("no"), Unknown("?"), UNCLEAR, LATER)
    settled = [_settled(result, **known) for result in results]
    settled.append(_settled(Failed("gone"), unreachable_fan=True, **known))
    tally.count([(one, 0.0) for one in settled])
    found = _measured(sink)
    assert found[Metric.ATTEMPTS] == {1: 6}
    assert found[Metric.ATTEMPT_ERRORS] == {1: 3}
    assert found[Metric.QUEUE_LATENCY] == {1300: 2}
