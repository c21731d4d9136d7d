"""The queue on a real SQS endpoint: batches of ten, what comes back, and what happens when nobody is there."""

import json
import socket
import time
from collections.abc import Callable, Iterator

import boto3
import pytest

from app.gateways import sqs
from app.gateways.sqs import Depth, QueueUnavailable, SqsQueue, Ticket
from embedded import ports
from embedded.aws import REGION, AwsEndpoint

PATIENCE = 3.0


@pytest.fixture
def queue(aws: AwsEndpoint) -> Iterator[SqsQueue]:
    """The delivery queue, empty."""
    queue = SqsQueue(aws.queue_url, REGION, 5)
    yield queue
    _close(queue)


def _close(queue: SqsQueue) -> None:
    queue.client.close()
    queue.poller.close()


def _ticket(number: int, text: str = "Hello") -> Ticket:
    body = sqs.dump({"messageId": str(number), "content": text})
    return Ticket(str(number), body, {"priority": "high"}, f"account-{number % 3}")


def _receive_all(queue: SqsQueue) -> list[sqs.Received]:
    found: list[sqs.Received] = []
    while batch := queue.receive(0):
        assert len(batch) <= sqs.BATCH
        found += batch
    return found


def test_25_tickets_go_and_come_in_batches_of_ten(queue: SqsQueue) -> None:
    tickets = [_ticket(number) for number in range(25)]
    taken = queue.send(tickets)
    assert set(taken) == {ticket.id for ticket in tickets}
    assert len(set(taken.values())) == 25
    assert queue.depth() == Depth(visible=25, in_flight=0)
    received = _receive_all(queue)
    assert sorted(item.body for item in received) == sorted(ticket.body for ticket in tickets)
    assert queue.depth() == Depth(visible=0, in_flight=25)
    queue.delete([item.handle for item in received])
    assert queue.depth() == Depth(visible=0, in_flight=0)


def test_nothing_is_sent_or_deleted_for_nothing(queue: SqsQueue) -> None:
    assert queue.send([]) == {}
    queue.delete([])
    assert queue.receive(0) == []


def test_text_and_attributes_arrive_as_they_were(queue: SqsQueue, aws: AwsEndpoint) -> None:
    queue.send([_ticket(1, "Grüße 🌞 <b> \n")])
    client = boto3.client("sqs", region_name=REGION)
    (message,) = client.receive_message(QueueUrl=aws.queue_url, MessageAttributeNames=["All"], AttributeNames=["All"])[
        "Messages"
    ]
    client.close()
    assert json.loads(message["Body"]) == {"messageId": "1", "content": "Grüße 🌞 <b> \n"}
    assert message["MessageAttributes"]["priority"]["StringValue"] == "high"
    assert message["MessageAttributes"]["priority"]["DataType"] == "String"
    assert message["Attributes"]["MessageGroupId"] == "account-1"


def test_a_ticket_that_is_refused_is_left_out(queue: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": [{"Id": "1", "Code": "InternalError"}]}
    monkeypatch.setattr(queue.client, "send_message_batch", lambda **_: answer)
    assert queue.send([_ticket(5), _ticket(6)]) == {"5": "m"}


def test_what_is_behind_a_batch_that_fails_is_left_out(queue: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    send, calls = queue.client.send_message_batch, []

    def second_fails(**parameters: object) -> object:
        calls.append(parameters)
        if len(calls) == 2:
            raise OSError("connection reset")
        return send(**parameters)

    monkeypatch.setattr(queue.client, "send_message_batch", second_fails)
    assert set(queue.send([_ticket(number) for number in range(30)])) == {str(number) for number in range(10)}
    assert (len(calls), queue.depth().visible) == (2, 10)


def test_sending_many_takes_no_longer_than_a_call_may_take(queue: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert queue.depth().visible == 0
    monkeypatch.setattr(queue, "timeout", 0.0)
    assert len(queue.send([_ticket(number) for number in range(30)])) == 10


def test_a_batch_that_is_too_large_is_refused_aloud(queue: SqsQueue) -> None:
    with pytest.raises(QueueUnavailable, match="send_message_batch"):
        queue.send([_ticket(1, "x" * 2_000_000)])
    assert queue.depth().visible == 0


def test_a_long_poll_ends_with_the_first_ticket(queue: SqsQueue) -> None:
    queue.send([_ticket(1)])
    began = time.monotonic()
    assert len(queue.receive(10)) == 1
    assert time.monotonic() - began < PATIENCE


Use = Callable[[SqsQueue], object]
USES: list[Use] = [
    lambda queue: queue.send([_ticket(1)]),
    lambda queue: queue.receive(0),
    lambda queue: queue.delete(["x"]),
    lambda queue: queue.depth(),
]


@pytest.mark.parametrize("use", USES, ids=["send", "receive", "delete", "depth"])
def test_nobody_listening_is_said_soon(aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch, use: Use) -> None:
    address = f"http://127.0.0.1:{ports.free()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    _fails_soon(f"{address}/1/gone", use)


def test_somebody_who_never_answers_is_given_up_soon(aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        _fails_soon(f"{address}/1/silent", USES[0])


def test_a_queue_that_does_not_exist_is_unavailable(aws: AwsEndpoint) -> None:
    _fails_soon(f"{aws.queue_url}-not-there", USES[3])


def _fails_soon(url: str, use: Use) -> None:
    queue = SqsQueue(url, REGION, 1)
    began = time.monotonic()
    with pytest.raises(QueueUnavailable):
        use(queue)
    assert time.monotonic() - began < PATIENCE
    _close(queue)


def test_only_what_is_configured_is_made(aws: AwsEndpoint) -> None:
    assert sqs.pair(None, None, REGION, 1) == (None, None)
    queue, dead_letters = sqs.pair(aws.queue_url, None, REGION, 1)
    assert isinstance(queue, SqsQueue)
    assert dead_letters is None
    _close(queue)
