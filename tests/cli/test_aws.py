"""`flask aws`: made twice it is the same, every drift is found and mended, and tickets go where they are sent."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.extensions import db
from app.gateways import dashboard, queues
from app.gateways.alarms import ALARMS, PREFIX
from embedded import aws as embedded_aws
from embedded.aws import REGION, AwsEndpoint
from tests.delivery.queues import put
from tests.messages import line
from tests.support.apps import MakeApp, RunCli
from tests.support.cast import Cast


@pytest.fixture
def clients(aws: AwsEndpoint) -> Iterator[tuple[Any, Any]]:
    """SQS and CloudWatch as somebody else changes them."""
    made = boto3.client("sqs", region_name=REGION), boto3.client("cloudwatch", region_name=REGION)
    yield made
    for client in made:
        client.close()


@pytest.fixture
def measuring(make_app: MakeApp) -> Flask:
    """An application with metrics."""
    return make_app(CLOUDWATCH_NAMESPACE="Huntaze/OnlyFans")


def _state(sqs: Any, cloudwatch: Any, aws: AwsEndpoint) -> dict[str, Any]:
    """Everything that was provisioned, without when."""
    attributes = {}
    for url in (aws.queue_url, aws.dlq_url):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        attributes[url] = {name: value for name, value in found.items() if "Timestamp" not in name}
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    for alarm in alarms:
        for name in [name for name in alarm if "Timestamp" in name]:
            del alarm[name]
    return {
        "queues": attributes,
        "alarms": alarms,
        "dashboard": cloudwatch.get_dashboard(DashboardName=dashboard.NAME)["DashboardBody"],
    }


REDRIVE_LATE = {
    "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{embedded_aws.ACCOUNT}:{queues.DEAD_LETTERS}",
    "maxReceiveCount": 3,
}


def _change(sqs: Any, cloudwatch: Any, aws: AwsEndpoint) -> set[str]:
    """Let everything drift; what is to be said of it."""
    changed = {"MessageRetentionPeriod": "600", "RedrivePolicy": json.dumps(REDRIVE_LATE)}
    sqs.set_queue_attributes(QueueUrl=aws.queue_url, Attributes=changed)
    sqs.set_queue_attributes(QueueUrl=aws.dlq_url, Attributes={"MessageRetentionPeriod": "345600"})
    cloudwatch.put_metric_alarm(**{**_alarm("high-latency"), "Threshold": 1.0, "Period": 60})
    cloudwatch.put_dashboard(DashboardName=dashboard.NAME, DashboardBody='{"widgets": []}')
    return {
        f"queue {queues.QUEUE}: differs in MessageRetentionPeriod, RedrivePolicy",
        f"queue {queues.DEAD_LETTERS}: differs in MessageRetentionPeriod",
        f"alarm {PREFIX}-high-latency: differs in Threshold, Period",
        f"dashboard {dashboard.NAME}: differs",
    }


def _remove(sqs: Any, cloudwatch: Any, aws: AwsEndpoint) -> set[str]:
    """Take things away; what is to be said of it."""
    sqs.delete_queue(QueueUrl=aws.queue_url)
    cloudwatch.delete_alarms(AlarmNames=[f"{PREFIX}-dead-letters"])
    cloudwatch.delete_dashboards(DashboardNames=[dashboard.NAME])
    return {
        f"queue {queues.QUEUE}: missing",
        f"alarm {PREFIX}-dead-letters: missing",
        f"dashboard {dashboard.NAME}: missing",
    }


def _alarm(name: str) -> dict[str, Any]:
    (alarm,) = (alarm for alarm in ALARMS if alarm.name == f"{PREFIX}-{name}")
    return alarm.parameters("Huntaze/OnlyFans")


def test_made_twice_it_is_the_same_and_every_drift_is_found_and_mended(
    run_cli: RunCli, measuring: Flask, clients: tuple[Any, Any], aws: AwsEndpoint
) -> None:
    first = run_cli("aws", "check", on=measuring)
    assert first.exit_code == 1
    assert f"dashboard {dashboard.NAME}: missing" in first.output
    made = run_cli("aws", "provision", on=measuring)
    assert made.exit_code == 0, made.output
    assert f"SQS_RATE_LIMITER_DLQ={aws.dlq_url}" in made.output
    before = _state(*clients, aws)
    assert before["queues"][aws.dlq_url]["MessageRetentionPeriod"] == str(14 * 24 * 3600)
    assert queues.DEAD_LETTERS in before["queues"][aws.queue_url]["RedrivePolicy"]
    again = run_cli("aws", "provision", on=measuring)
    assert "made or mended" not in again.output
    assert _state(*clients, aws) == before
    for drift in (_change, _remove):
        faults = drift(*clients, aws)
        checked = run_cli("aws", "check", on=measuring)
        assert (checked.exit_code, set(checked.output.splitlines()[:-1])) == (1, faults)
        assert run_cli("aws", "provision", on=measuring).exit_code == 0
        assert run_cli("aws", "check", on=measuring).output == "Everything is as it should be.\n"


def test_where_metrics_are_off_only_the_queues_are_made(run_cli: RunCli, app: Flask, aws: AwsEndpoint) -> None:
    made = run_cli("aws", "provision")
    assert made.exit_code == 0
    assert "no alarms" in made.output
    assert run_cli("aws", "check").exit_code == 0


def test_the_embedded_queues_are_kept_as_long_as_provisioned_ones() -> None:
    assert (embedded_aws.QUEUE, embedded_aws.DEAD_LETTER_QUEUE) == (queues.QUEUE, queues.DEAD_LETTERS)
    assert embedded_aws.QUEUE_RETENTION_SECONDS == queues.KEPT_SECONDS
    assert embedded_aws.DEAD_LETTER_RETENTION_SECONDS == queues.DEAD_KEPT_SECONDS
    assert embedded_aws.MAX_RECEIVE_COUNT == queues.RECEIVED_MOST


def test_aws_that_is_away_is_one_line(
    run_cli: RunCli, app: Flask, aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for command in ("provision", "check", "redrive"):
        result = run_cli("aws", command)
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")
        assert "Traceback" not in result.output


def test_a_purge_asks_and_drops_tickets_but_no_message(
    run_cli: RunCli, app: Flask, cast: Cast, aws: AwsEndpoint
) -> None:
    desk = app.extensions["desk"]
    queued, unclear = (line.queue(cast.ada, cast.conversations[number]) for number in range(2))
    line.change(unclear, first_unclear_at=queued.created_at)
    desk.publish([queued.id])
    assert run_cli("aws", "purge", input="n\n").exit_code == 1
    assert desk.queue.depth().visible == 1
    assert run_cli("aws", "purge", input="y\n").exit_code == 0
    assert desk.queue.depth().visible == 0
    assert line.fresh(queued).status == "queued"
    # SQS refuses a second time within a minute; the messages are canceled all the same.
    result = run_cli("aws", "purge", "--yes", "--cancel-queued")
    assert (result.exit_code, result.output.count("1 canceled")) == (1, 1)
    assert (line.fresh(queued).status, line.fresh(unclear).status) == ("canceled", "queued")
    purges = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "queue.purged").order_by(AuditEvent.id))
    assert [event.details for event in purges] == [{"canceled": 0}, {"canceled": 1}]


def test_dead_letters_are_listed_and_redriven(run_cli: RunCli, app: Flask, aws: AwsEndpoint) -> None:
    desk = app.extensions["desk"]
    put(desk.dead_letters, "no json", "nor this")
    listed = run_cli("aws", "redrive")
    assert listed.output.endswith("2 dead letters\n")
    letter = listed.output.split()[0]
    assert "back on the queue" in run_cli("aws", "redrive", letter).output
    assert run_cli("aws", "redrive", letter).exit_code == 1
    assert "1 tickets back on the queue" in run_cli("aws", "redrive", "--all").output
    assert desk.queue.depth().visible == 2
