"""The alarms: which there are, how they stand on CloudWatch, and how they get there.

Waiting for the limit rings none of them: they look at errors, and at what the limit doesn't explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.gateways import aws
from app.gateways.metrics import WITHOUT_ROW, Metric

PREFIX = "onlyfans-rate-limiter"
LEAST_ATTEMPTS = 20
ATTEMPTS_ID, ERRORS_ID = "attempts", "errors"
MINUTE = 60
UNTOLD = ("AlarmActions", "OKActions", "InsufficientDataActions", "ActionsEnabled")


@dataclass(frozen=True, slots=True)
class Alarm:
    """It rings when `statistic` of `metric` is above `threshold` in each of the last `times` periods (s).

    `expression`: rings on that instead, in which `attempts` and `errors` are sums. `without_data`: what no data means.
    """

    name: str
    says: str
    threshold: float
    metric: Metric
    statistic: str = "Maximum"
    dimensions: dict[str, str] = field(default_factory=dict)
    period: int = MINUTE
    times: int = 1
    without_data: str = "notBreaching"
    expression: str | None = None

    def parameters(self, namespace: str) -> dict[str, Any]:
        """What CloudWatch is told of it."""
        common = {
            "AlarmName": self.name,
            "AlarmDescription": self.says,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": self.threshold,
            "EvaluationPeriods": self.times,
            "DatapointsToAlarm": self.times,
            "TreatMissingData": self.without_data,
        }
        if self.expression is not None:
            return common | {"Metrics": self._math(namespace, self.expression)}
        return common | {
            "Namespace": namespace,
            "MetricName": self.metric.value,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            "Statistic": self.statistic,
            "Period": self.period,
        }

    def _math(self, namespace: str, expression: str) -> list[dict[str, Any]]:
        def total(name: str, metric: Metric) -> dict[str, Any]:
            what = {"Namespace": namespace, "MetricName": metric.value}
            stat = {"Metric": what, "Period": self.period, "Stat": "Sum"}
            return {"Id": name, "MetricStat": stat, "ReturnData": False}

        rate = {"Id": "rate", "Expression": expression, "Label": "Errors, % of attempts", "ReturnData": True}
        return [rate, total(ATTEMPTS_ID, Metric.ATTEMPTS), total(ERRORS_ID, Metric.ATTEMPT_ERRORS)]


ALARMS = (
    Alarm(
        name=f"{PREFIX}-high-error-rate",
        says="More than 5 % of the calls that send went wrong (fans who can't be reached are not counted). "
        "Look at the failed messages and at the platform.",
        threshold=5,
        metric=Metric.ATTEMPT_ERRORS,
        period=5 * MINUTE,
        # One error among three calls of a quiet night says nothing.
        expression=f"IF({ATTEMPTS_ID} >= {LEAST_ATTEMPTS}, 100 * FILL({ERRORS_ID}, 0) / {ATTEMPTS_ID}, 0)",
    ),
    Alarm(
        name=f"{PREFIX}-queue-depth-high",
        says="More than 100 messages are late although their accounts had a free slot, or no worker says how many. "
        "Look at the workers, Redis and the breaker.",
        threshold=100,
        metric=Metric.OVERDUE_MESSAGES,
        times=3,
        without_data="breaching",
    ),
    Alarm(
        name=f"{PREFIX}-queue-age-high",
        says="A message has been late for more than 10 minutes although its account had a free slot, or no worker "
        "says so. Look at the workers, Redis and the breaker.",
        threshold=600,
        metric=Metric.OLDEST_OVERDUE,
        times=3,
        without_data="breaching",
    ),
    Alarm(
        name=f"{PREFIX}-high-latency",
        says="Messages took more than 5 s on average beyond their wait for the limit. "
        "Look at the platform's answers and at the workers' load.",
        threshold=5000,
        metric=Metric.EXCESS_LATENCY,
        statistic="Average",
        period=5 * MINUTE,
    ),
    Alarm(
        name=f"{PREFIX}-dead-letters",
        says="Tickets lie in the dead letters that belong to no message. "
        "Look at them on the operations page or with `flask aws redrive`.",
        threshold=0,
        metric=Metric.DEAD_LETTER_COUNT,
        dimensions=WITHOUT_ROW,
    ),
)


@dataclass(frozen=True, slots=True)
class AlarmState:
    """How an alarm stands: `OK`, `ALARM`, `INSUFFICIENT_DATA`, or `MISSING` before it was provisioned."""

    name: str
    state: str
    reason: str


def states(region: str, timeout: float = 2.0) -> list[AlarmState]:
    """Every alarm as CloudWatch sees it, in one call. Raises Unavailable when AWS can't be reached or refuses."""
    with aws.client("cloudwatch", region, timeout) as cloudwatch:
        found = existing(cloudwatch)
    return [_state(alarm.name, found.get(alarm.name)) for alarm in ALARMS]


def _state(name: str, found: dict[str, Any] | None) -> AlarmState:
    if found is None:
        return AlarmState(name, "MISSING", "`flask aws provision` makes it")
    return AlarmState(name, found["StateValue"], found.get("StateReason", ""))


def existing(cloudwatch: Any) -> dict[str, dict[str, Any]]:
    """Alarm name → what CloudWatch has of it, of those that are there."""
    answer = cloudwatch.describe_alarms(AlarmNames=[alarm.name for alarm in ALARMS], AlarmTypes=["MetricAlarm"])
    return {alarm["AlarmName"]: alarm for alarm in answer["MetricAlarms"]}


def provision(cloudwatch: Any, namespace: str, notify: Sequence[str] = ()) -> list[str]:
    """Make every alarm what it should be; the names of those that were not. Who is told stays, but for `notify`."""
    changed = []
    for alarm, found, faults in _compared(cloudwatch, namespace):
        told = {name: found[name] for name in UNTOLD if name in found}
        if notify and found.get("AlarmActions") != list(notify):
            told |= {"AlarmActions": list(notify), "OKActions": list(notify)}
            faults.append("AlarmActions")
        if faults:
            cloudwatch.put_metric_alarm(**alarm.parameters(namespace), **told)
            changed.append(alarm.name)
    return changed


def faults(cloudwatch: Any, namespace: str) -> list[str]:
    """What is missing or differs, a line for each alarm."""
    lines = []
    for alarm, found, wrong in _compared(cloudwatch, namespace):
        if not found:
            lines.append(f"alarm {alarm.name}: missing")
        elif wrong:
            lines.append(f"alarm {alarm.name}: differs in {', '.join(wrong)}")
    return lines


def _compared(cloudwatch: Any, namespace: str) -> list[tuple[Alarm, dict[str, Any], list[str]]]:
    """Each alarm, what CloudWatch has of it, and the names of what differs."""
    there = existing(cloudwatch)
    compared = []
    for alarm in ALARMS:
        found = there.get(alarm.name, {})
        wanted = alarm.parameters(namespace)
        compared.append((alarm, found, [name for name in wanted if _plain(found.get(name)) != _plain(wanted[name])]))
    return compared


def _plain(value: Any) -> Any:
    """Without what CloudWatch adds, in one order."""
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item not in (None, "", [])}
    return value
