"""The real parts around a house: Redis, SQS and the platform, each a process that can be stopped and started again."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import httpx

from embedded import aws, platform_process, ports, redis_server
from embedded.aws import AwsEndpoint
from embedded.child import Child
from tests.embedded.platform.sim import Json, Sim

SEEN_AGAIN_AFTER = 2


class Parts:
    """Three processes in `directory`; `simulate` are switches of the simulated platform."""

    def __init__(self, directory: Path, simulate: Sequence[str] = ()) -> None:
        self.redis_url = redis_server.choose_url(directory)
        self.endpoint = AwsEndpoint.at(ports.free())
        port = ports.free()
        switches = [argument for wish in simulate for argument in ("--simulate", wish)]
        self.redis = Child(redis_server.part(self.redis_url, directory), directory)
        self.sqs = Child(aws.part(self.endpoint), directory)
        self.platform = Child(platform_process.part(port, str(directory / "platform.sqlite3"), switches), directory)
        self.sim = Sim(f"http://{ports.LOOPBACK}:{port}")

    def start(self) -> None:
        """Start what isn't running, and wait until all are ready."""
        for part in self._all():
            if not is_running(part):
                part.start()
        for part in self._all():
            part.wait_until_ready()
        self.create_queue()

    def stop(self) -> None:
        """End all of them."""
        self.sim.close()
        for part in self._all():
            part.terminate()
        for part in self._all():
            part.stop()

    def purge(self) -> None:
        """Empty the queue, whatever is in it."""
        self._sqs("PurgeQueue", QueueUrl=self.endpoint.queue_url)

    def send(self, *bodies: str) -> None:
        """Put tickets on the queue, as another system does."""
        for body in bodies:
            self._sqs("SendMessage", QueueUrl=self.endpoint.queue_url, MessageBody=body)

    def receive(self, url: str, keep_for: int) -> list[Json]:
        """Up to ten messages of a queue, which nobody else sees for so many seconds."""
        wish = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": keep_for}
        found: list[Json] = self._sqs("ReceiveMessage", **wish).get("Messages", [])
        return found

    def drain(self, url: str) -> list[str]:
        """Take every message off a queue; their bodies."""
        bodies: list[str] = []
        while messages := self.receive(url, keep_for=60):
            for message in messages:
                self._sqs("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies += [message["Body"] for message in messages]
        return bodies

    def delete_queue(self) -> None:
        """Take the queue away with all that is in it."""
        self._sqs("DeleteQueue", QueueUrl=self.endpoint.queue_url)

    def create_queue(self) -> None:
        """Make it if it isn't there; what a killed worker's last look took from it comes back soon."""
        assert aws.create_queues(self.endpoint)
        attributes = {"VisibilityTimeout": str(SEEN_AGAIN_AFTER)}
        self._sqs("SetQueueAttributes", QueueUrl=self.endpoint.queue_url, Attributes=attributes)

    def _sqs(self, action: str, **parameters: object) -> Json:
        answer = httpx.post(
            self.endpoint.url,
            json=parameters,
            headers={
                "X-Amz-Target": f"AmazonSQS.{action}",
                "Content-Type": "application/x-amz-json-1.0",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={aws.KEY}/20000101/{aws.REGION}/sqs/aws4_request",
            },
        )
        found: Json = answer.raise_for_status().json() if answer.content else {}
        return found

    def environment(self) -> dict[str, str]:
        """What leads the product to them."""
        return {
            "REDIS_URL": self.redis_url,
            "ONLYFANSAPI_API_KEY": platform_process.KEY,
            "ONLY_FANS_API_BASE_URL": self.sim.url,
        } | self.endpoint.environment()

    def _all(self) -> list[Child]:
        return [self.redis, self.sqs, self.platform]


def is_running(part: Child) -> bool:
    """Whether it was started and hasn't ended."""
    try:
        return part.exit_code() is None
    except AssertionError:
        return False


def freeze(part: Child) -> None:
    """Have a part hang: it takes connections and never answers, until it is thawed."""
    os.kill(part.pid(), signal.SIGSTOP)


def thaw(part: Child) -> None:
    """Let a part go on that was frozen."""
    os.kill(part.pid(), signal.SIGCONT)
