"""The alarms: CloudWatch has each as SPEC'd, what differs is seen and mended, and their states are read in one call."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from app.errors import Unavailable
from app.gateways import alarms
from app.gateways.alarms import ALARMS, PREFIX, AlarmState
from embedded import ports
from embedded.aws import REGION, AwsEndpoint

NAMESPACE = "Huntaze/OnlyFans"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:operators"


@pytest.fixture
def cloudwatch(aws: AwsEndpoint) -> Iterator[Any]:
    """CloudWatch, with no alarm yet."""
    client = boto3.client("cloudwatch", region_name=REGION)
    yield client
    client.close()


def test_they_ring_above_what_was_promised(cloudwatch: Any) -> None:
    alarms.provision(cloudwatch, NAMESPACE)
    found = alarms.existing(cloudwatch)
    simple = {
        name.removeprefix(f"{PREFIX}-"): (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"])
        for name, alarm in found.items()
        if "MetricName" in alarm
    }
    assert simple == {
        "queue-depth-high": ("OverdueMessages", "Maximum", 100),
        "queue-age-high": ("OldestOverdue", "Maximum", 600),
        "high-latency": ("ExcessLatency", "Average", 5000),
        "dead-letters": ("DeadLetterCount", "Maximum", 0),
    }
    rate = found[f"{PREFIX}-high-error-rate"]
    assert rate["Threshold"] == 5
    (shown,) = (query for query in rate["Metrics"] if query["ReturnData"])
    named = {
        query["Id"]: query["MetricStat"]["Metric"]["MetricName"] for query in rate["Metrics"] if query is not shown
    }
    assert named == {"attempts": "Attempts", "errors": "AttemptErrors"}
    assert all(name in shown["Expression"] for name in named)
    assert {alarm["ComparisonOperator"] for alarm in found.values()} == {"GreaterThanThreshold"}
    assert found[f"{PREFIX}-queue-age-high"]["TreatMissingData"] == "breaching"


def test_made_twice_they_are_the_same(cloudwatch: Any) -> None:
    assert len(alarms.faults(cloudwatch, NAMESPACE)) == len(ALARMS)
    assert alarms.provision(cloudwatch, NAMESPACE) == [alarm.name for alarm in ALARMS]
    assert alarms.faults(cloudwatch, NAMESPACE) == []
    assert alarms.provision(cloudwatch, NAMESPACE) == []


def test_what_was_changed_is_seen_and_mended_and_who_is_told_stays(cloudwatch: Any) -> None:
    alarms.provision(cloudwatch, NAMESPACE, [TOPIC])
    assert alarms.provision(cloudwatch, NAMESPACE, [TOPIC]) == []
    for alarm in ALARMS:
        wanted = alarm.parameters(NAMESPACE)
        cloudwatch.put_metric_alarm(**wanted | {"Threshold": 99999, "AlarmActions": [TOPIC]})
    lines = alarms.faults(cloudwatch, NAMESPACE)
    assert lines == [f"alarm {alarm.name}: differs in Threshold" for alarm in ALARMS]
    assert len(alarms.faults(cloudwatch, "Another")) == len(ALARMS)
    alarms.provision(cloudwatch, NAMESPACE)
    assert alarms.faults(cloudwatch, NAMESPACE) == []
    assert {tuple(found["AlarmActions"]) for found in alarms.existing(cloudwatch).values()} == {(TOPIC,)}


def test_how_they_stand_is_read_in_one_call(cloudwatch: Any) -> None:
    assert {state.state for state in alarms.states(REGION)} == {"MISSING"}
    alarms.provision(cloudwatch, NAMESPACE)
    cloudwatch.set_alarm_state(AlarmName=f"{PREFIX}-dead-letters", StateValue="ALARM", StateReason="two of them")
    found = {state.name: state for state in alarms.states(REGION)}
    assert found[f"{PREFIX}-dead-letters"] == AlarmState(f"{PREFIX}-dead-letters", "ALARM", "two of them")
    assert [state.state for state in found.values()].count("ALARM") == 1


def test_without_aws_nobody_knows(aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports.free()}")
    with pytest.raises(Unavailable):
        alarms.states(REGION, 0.5)
