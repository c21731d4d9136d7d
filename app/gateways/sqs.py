"""The queue behind a Protocol, on boto3: short time-outs, no retries of its own, batches of ten."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BATCH = 10
BATCH_BYTES = 200_000
ATTRIBUTES_BYTES = 2_000
LONG_POLL = 10
SENT_AT = "SentTimestamp"


class QueueUnavailable(Exception):
    """The queue can't be reached or refuses; nothing is known to have happened."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One SQS message: `body` and string `attributes` as SPEC'd; `group` keeps one account from blocking the rest."""

    id: str
    body: str
    attributes: dict[str, str]
    group: str


@dataclass(frozen=True, slots=True)
class Received:
    """A ticket that came in; `handle` deletes it, `id` is SQS' own and stays, `sent_at` is when SQS first had it."""

    body: str
    handle: str
    id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many tickets wait and are being worked on."""

    visible: int
    in_flight: int


class Queue(Protocol):
    """What delivery needs of a queue."""

    def send(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """Put tickets on the queue; ticket id → queue's id for those that it took. Raises QueueUnavailable."""

    def receive(self, wait: int) -> list[Received]:
        """Up to ten tickets, waiting `wait` seconds for the first. Raises QueueUnavailable."""

    def delete(self, handles: Sequence[str]) -> None:
        """Drop tickets that were received. Raises QueueUnavailable."""

    def depth(self) -> Depth:
        """How full it is. Raises QueueUnavailable."""

    def hold(self, seconds: int) -> list[Received]:
        """Up to ten tickets to look at, seen by nobody else for `seconds`. Raises QueueUnavailable."""

    def release(self, handles: Sequence[str]) -> None:
        """Show tickets that were held again. Raises QueueUnavailable."""

    def purge(self) -> None:
        """Drop every ticket. Raises QueueUnavailable."""


class SqsQueue:
    """A queue on SQS; `timeout` seconds for each answer (a long poll's wait comes on top)."""

    def __init__(self, url: str, region: str, timeout: float) -> None:
        self.url = url
        self.region = region
        self.timeout = timeout

    @cached_property
    def client(self) -> Any:
        """boto3's client, made when it is first needed: a door that never sends starts without it."""
        return _client(self.region, self.timeout)

    @cached_property
    def poller(self) -> Any:
        """A client that waits for a long poll to end."""
        return _client(self.region, self.timeout + LONG_POLL)

    def send(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """Put tickets on the queue in batches of ten; those that it refused one by one are left out.

        So are those behind a batch that couldn't be sent, or that took too long; raises only when none was taken.
        """
        taken: dict[str, str] = {}
        ends = time.monotonic() + self.timeout
        for batch in batches(tickets):
            try:
                answer = self._call("send_message_batch", Entries=[_entry(i, ticket) for i, ticket in enumerate(batch)])
            except QueueUnavailable:
                if not taken:
                    raise
                break
            taken |= {batch[int(done["Id"])].id: done["MessageId"] for done in answer.get("Successful", [])}
            if time.monotonic() > ends:
                break
        return taken

    def receive(self, wait: int) -> list[Received]:
        """Up to ten tickets, waiting at most min(wait, 10) seconds for the first."""
        answer = self._call(
            "receive_message",
            self.poller,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=min(wait, LONG_POLL),
            AttributeNames=[SENT_AT],
        )
        return _received(answer)

    def delete(self, handles: Sequence[str]) -> None:
        """Drop tickets that were received."""
        for start in range(0, len(handles), BATCH):
            batch = handles[start : start + BATCH]
            entries = [{"Id": str(i), "ReceiptHandle": handle} for i, handle in enumerate(batch)]
            self._call("delete_message_batch", Entries=entries)

    def hold(self, seconds: int) -> list[Received]:
        """Up to ten tickets to look at, seen by nobody else for `seconds`; it takes a second to find none."""
        # Without a wait, SQS asks only some of its servers.
        asked = {"MaxNumberOfMessages": BATCH, "WaitTimeSeconds": 1, "VisibilityTimeout": seconds}
        return _received(self._call("receive_message", self.poller, AttributeNames=[SENT_AT], **asked))

    def release(self, handles: Sequence[str]) -> None:
        """Show tickets that were held again."""
        for start in range(0, len(handles), BATCH):
            batch = handles[start : start + BATCH]
            entries = [
                {"Id": str(i), "ReceiptHandle": handle, "VisibilityTimeout": 0} for i, handle in enumerate(batch)
            ]
            self._call("change_message_visibility_batch", Entries=entries)

    def purge(self) -> None:
        """Drop every ticket; SQS takes up to a minute, and refuses a second time within it."""
        self._call("purge_queue")

    def depth(self) -> Depth:
        """How full it is, as SQS estimates it."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._call("get_queue_attributes", AttributeNames=names)["Attributes"]
        return Depth(visible=int(found[names[0]]), in_flight=int(found[names[1]]))

    def _call(self, operation: str, client: Any = None, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(client or self.client, operation)(QueueUrl=self.url, **parameters)
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            raise QueueUnavailable(f"{operation}: {error}") from error
        return answer


def pair(queue_url: str | None, dlq_url: str | None, region: str, timeout: float) -> tuple[Queue | None, Queue | None]:
    """The queue and its dead letters, None where they aren't configured."""
    queue, dead_letters = (SqsQueue(url, region, timeout) if url else None for url in (queue_url, dlq_url))
    return queue, dead_letters


def _client(region: str, timeout: float) -> Any:
    config = Config(
        connect_timeout=min(timeout, 2.0),
        read_timeout=timeout,
        retries={"total_max_attempts": 1},
        max_pool_connections=10,
    )
    # A session of its own: sharing one between threads is not safe.
    return boto3.session.Session().client("sqs", region_name=region, config=config)


def _received(answer: dict[str, Any]) -> list[Received]:
    return [
        Received(
            body=found["Body"],
            handle=found["ReceiptHandle"],
            id=found["MessageId"],
            sent_at=datetime.fromtimestamp(int(found["Attributes"][SENT_AT]) / 1000, UTC),
        )
        for found in answer.get("Messages", [])
    ]


def _entry(index: int, ticket: Ticket) -> dict[str, Any]:
    attributes = {k: {"DataType": "String", "StringValue": v} for k, v in ticket.attributes.items()}
    return {
        "Id": str(index),
        "MessageBody": ticket.body,
        "MessageAttributes": attributes,
        "MessageGroupId": ticket.group,
    }


def batches(tickets: Sequence[Ticket]) -> Iterator[list[Ticket]]:
    """Tickets in their order, at most ten and BATCH_BYTES together: SQS' limit is on the sum."""
    batch: list[Ticket] = []
    size = 0
    for ticket in tickets:
        if batch and (len(batch) == BATCH or size + len(ticket.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(ticket)
        size += len(ticket.body) + ATTRIBUTES_BYTES
    if batch:
        yield batch


def dump(body: dict[str, Any]) -> str:
    """A ticket's body as JSON, in ASCII: SQS refuses some characters, never their escapes."""
    return json.dumps(body, separators=(",", ":"))
