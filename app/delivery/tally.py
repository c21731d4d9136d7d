"""What metrics are told of calls that ended: what went wrong, how long messages took, and what the limit explains."""

from collections.abc import Sequence
from datetime import timedelta

from app.delivery.recorder import Settled
from app.gateways import metrics
from app.gateways.metrics import Metric
from app.messages.models import Step
from app.messages.outcomes import Later, Sent

# Shorter than that nobody has waited for a slot: two clocks and a round of the dispatcher lie between.
NOTICED = timedelta(seconds=0.1)
NOTHING = timedelta(0)


def count(settled: Sequence[tuple[Settled, float]]) -> None:
    """Measure what these steps came to, each with the seconds for which its slot could have been had before."""
    attempts = [one.report for one, _ in settled if one.report.envelope.step == Step.SEND and _counts(one)]
    # Of a fan who can't be reached, the platform has said so: nothing went wrong.
    errors = sum(not isinstance(report.result, Sent) and not report.unreachable_fan for report in attempts)
    metrics.record(Metric.ATTEMPTS, times=len(attempts))
    metrics.record(Metric.ATTEMPT_ERRORS, times=errors)
    for one, idle in settled:
        if isinstance(one.report.result, Sent):
            _count_sent(one, idle)


def _counts(one: Settled) -> bool:
    """Whether it was a call that the platform took: not one that it asked to make later, or that never left."""
    return not isinstance(one.report.result, Later) or one.report.result.unclear


def _count_sent(one: Settled, idle: float) -> None:
    envelope = one.report.envelope
    queued_at, ready_at = envelope.queued_at, envelope.ready_at
    if queued_at is None or ready_at is None:
        return
    waited = NOTHING
    if envelope.step == Step.SEND:
        waited = max(NOTHING, envelope.claimed_at - ready_at - timedelta(seconds=idle))
    # An attempt that went wrong isn't the limit's fault: from the first one on, only waiting for a slot is taken off.
    begun = envelope.first_unclear_at or ready_at
    metrics.record_duration(Metric.QUEUE_LATENCY, (one.at - queued_at).total_seconds())
    metrics.record_duration(Metric.EXCESS_LATENCY, (one.at - begun - waited).total_seconds())
    metrics.record(Metric.RATE_LIMITED_MESSAGES, times=int(waited > NOTICED))
