"""What a worker measured is on CloudWatch when it has ended, though it ran less than the minute between two calls."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

import config
from app.gateways import metrics
from embedded.aws import KEY, REGION
from tests.journeys.house import Open

NAMESPACE = "Huntaze/Journey"


def test_a_worker_that_is_asked_to_end_sends_what_it_measured(open_another: Open) -> None:
    house = open_another(CLOUDWATCH_NAMESPACE=NAMESPACE)
    # What this process writes is the worker's to deliver, and nobody's to measure.
    metrics.bind(config.load({}))
    author = house.author()
    worker = house.start_worker()
    author.write_many(4, fans=2)
    author.wait("sent")
    worker.stop()
    cloudwatch = boto3.client(
        "cloudwatch",
        region_name=REGION,
        endpoint_url=house.environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
    )
    assert {name: _total(cloudwatch, name) for name in ("MessagesSent", "Attempts", "QueueLatency")} == {
        "MessagesSent": (4, 4),
        "Attempts": (4, 4),
        "QueueLatency": (4, None),
    }
    cloudwatch.close()


def _total(cloudwatch: Any, name: str) -> tuple[float, float | None]:
    """How many samples CloudWatch has, and (of counts) their sum."""
    now = datetime.now(UTC)
    (point,) = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return point["SampleCount"], None if name == "QueueLatency" else point["Sum"]
