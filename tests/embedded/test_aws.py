"""The embedded AWS endpoint and its two queues."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from embedded import aws, ports
from embedded.child import Child

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the endpoint that these tests share."""
    return tmp_path_factory.mktemp("aws")


@pytest.fixture(scope="module")
def endpoint(folder: Path) -> Iterator[aws.AwsEndpoint]:
    """Run an endpoint."""
    with aws.running(folder) as endpoint:
        yield endpoint


@pytest.fixture
def sqs(endpoint: aws.AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client that knows where to go only from the variables that children get."""
    for name, value in endpoint.environment().items():
        monkeypatch.setenv(name, value)
    return boto3.client("sqs")


def test_both_queues_are_there_with_their_attributes(endpoint: aws.AwsEndpoint, sqs: Any) -> None:
    assert sorted(sqs.list_queues()["QueueUrls"]) == sorted([endpoint.queue_url, endpoint.dlq_url])
    queue, dead_letters = (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for url in (endpoint.queue_url, endpoint.dlq_url)
    )
    assert int(queue["MessageRetentionPeriod"]) == 4 * DAY
    assert int(dead_letters["MessageRetentionPeriod"]) == 14 * DAY
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dead_letters["QueueArn"]


def test_creating_the_queues_again_keeps_what_is_in_them(endpoint: aws.AwsEndpoint, sqs: Any) -> None:
    sqs.send_message(QueueUrl=endpoint.queue_url, MessageBody="ticket")
    assert aws.create_queues(endpoint)
    assert sqs.receive_message(QueueUrl=endpoint.queue_url)["Messages"][0]["Body"] == "ticket"


def test_its_log_does_not_grow_with_every_request(folder: Path, sqs: Any) -> None:
    sqs.list_queues()
    assert "POST" not in (folder / "log" / "aws.log").read_text()


def test_after_a_restart_it_is_ready_only_when_the_queues_exist_again(tmp_path: Path, sqs: Any) -> None:
    endpoint = aws.AwsEndpoint.at(ports.free())
    server = Child(aws.part(endpoint), tmp_path)
    for _ in range(2):
        server.start()
        try:
            server.wait_until_ready()
            elsewhere = boto3.client("sqs", endpoint_url=endpoint.url)
            assert len(elsewhere.list_queues()["QueueUrls"]) == 2
        finally:
            server.kill()
        assert not aws.create_queues(endpoint)
