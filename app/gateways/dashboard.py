"""The dashboard on CloudWatch: five widgets on its grid of 24 columns."""

import json
from typing import Any

from app.gateways import alarms
from app.gateways.metrics import WITHOUT_ROW, Metric

NAME = "Huntaze-OnlyFans-Rate-Limiter"
COLUMNS = 24
HEIGHT = 6
PERIOD = 300
Line = list[Any]


def body(namespace: str, region: str, queue: str, dead_letters: str) -> dict[str, Any]:
    """What CloudWatch draws; `queue` and `dead_letters` are the queues' names."""
    return {
        "start": "-PT6H",
        "periodOverride": "inherit",
        "widgets": [
            _widget(0, 0, 12, region, "Messages", "Sum", _messages(namespace)),
            _widget(12, 0, 12, region, "Queue latency, ms", "Average", _latency(namespace)),
            _widget(0, HEIGHT, 8, region, "Queue depth", "Maximum", _depth(namespace, queue, dead_letters)),
            _widget(8, HEIGHT, 8, region, "Worker: calls and errors", "Sum", _jobs(namespace)),
            _widget(16, HEIGHT, 8, region, "Errors and successes, %", "Sum", _rates(namespace)),
        ],
    }


def provision(cloudwatch: Any, wanted: dict[str, Any]) -> bool:
    """Make the dashboard what it should be; whether it was not."""
    if fault(cloudwatch, wanted) is None:
        return False
    cloudwatch.put_dashboard(DashboardName=NAME, DashboardBody=json.dumps(wanted))
    return True


def fault(cloudwatch: Any, wanted: dict[str, Any]) -> str | None:
    """Whether it is missing or differs, in a line."""
    try:
        found = cloudwatch.get_dashboard(DashboardName=NAME)["DashboardBody"]
    except (cloudwatch.exceptions.ResourceNotFound, cloudwatch.exceptions.DashboardNotFoundError):
        return f"dashboard {NAME}: missing"
    return None if json.loads(found) == wanted else f"dashboard {NAME}: differs"


def _widget(x: int, y: int, width: int, region: str, title: str, stat: str, lines: list[Line]) -> dict[str, Any]:
    properties = {
        "title": title,
        "region": region,
        "view": "timeSeries",
        "stacked": False,
        "period": PERIOD,
        "stat": stat,
        "metrics": lines,
        "yAxis": {"left": {"min": 0}},
    }
    return {"type": "metric", "x": x, "y": y, "width": width, "height": HEIGHT, "properties": properties}


def _messages(namespace: str) -> list[Line]:
    shown = (
        (Metric.MESSAGES_QUEUED, "queued"),
        (Metric.MESSAGES_SENT, "sent"),
        (Metric.MESSAGES_FAILED, "failed"),
        (Metric.RATE_LIMITED_MESSAGES, "waited for the limit"),
        (Metric.CAMPAIGN_RECIPIENTS, "campaign recipients"),
    )
    return [[namespace, metric.value, {"label": label}] for metric, label in shown]


def _latency(namespace: str) -> list[Line]:
    shown = (("Average", "average"), ("Maximum", "maximum"), ("p99", "p99"))
    lines: list[Line] = [
        [namespace, Metric.QUEUE_LATENCY.value, {"stat": stat, "label": label}] for stat, label in shown
    ]
    return [*lines, [namespace, Metric.EXCESS_LATENCY.value, {"stat": "Average", "label": "beyond the limit, average"}]]


def _depth(namespace: str, queue: str, dead_letters: str) -> list[Line]:
    dimension = next(iter(WITHOUT_ROW.items()))
    return [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, {"label": "tickets"}],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", dead_letters, {"label": "dead letters"}],
        [namespace, Metric.DEAD_LETTER_COUNT.value, *dimension, {"label": "dead letters without a message"}],
        [namespace, Metric.OVERDUE_MESSAGES.value, {"label": "overdue messages"}],
    ]


def _jobs(namespace: str) -> list[Line]:
    return [
        [namespace, Metric.ATTEMPTS.value, {"label": "calls"}],
        [namespace, Metric.ATTEMPT_ERRORS.value, {"label": "errors"}],
    ]


def _rates(namespace: str) -> list[Line]:
    hidden = ((Metric.ATTEMPTS, alarms.ATTEMPTS_ID), (Metric.ATTEMPT_ERRORS, alarms.ERRORS_ID))
    rate = f"100 * FILL({alarms.ERRORS_ID}, 0) / {alarms.ATTEMPTS_ID}"
    lines: list[Line] = [
        [{"expression": rate, "label": "errors", "id": "rate"}],
        [{"expression": "100 - rate", "label": "successes", "id": "success"}],
    ]
    return [*lines, *([namespace, metric.value, {"id": name, "visible": False}] for metric, name in hidden)]
