"""The embedded AWS endpoint: SQS and CloudWatch by moto, on loopback, with the queues that delivery needs."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from embedded import ports
from embedded.child import Part, python
from embedded.child import running as child_running

REGION = "us-east-1"
ACCOUNT = "123456789012"
KEY = "embedded"
QUEUE = "huntaze-rate-limiter-queue"
DEAD_LETTER_QUEUE = f"{QUEUE}-dlq"
DAY = 24 * 60 * 60
QUEUE_RETENTION_SECONDS = 4 * DAY
# A dead letter keeps its first time: shorter than this and it could be gone before anyone has looked.
DEAD_LETTER_RETENTION_SECONDS = 14 * DAY
MAX_RECEIVE_COUNT = 10


@dataclass(frozen=True)
class AwsEndpoint:
    """Where the endpoint listens and its two queues live; all three are URLs."""

    url: str
    queue_url: str
    dlq_url: str

    @classmethod
    def at(cls, port: int) -> "AwsEndpoint":
        """Return the endpoint that listens on that loopback port."""
        url = f"http://{ports.LOOPBACK}:{port}"
        return cls(url, f"{url}/{ACCOUNT}/{QUEUE}", f"{url}/{ACCOUNT}/{DEAD_LETTER_QUEUE}")

    @property
    def port(self) -> int:
        """Return its loopback port."""
        return urlsplit(self.url).port or 80

    def environment(self) -> dict[str, str]:
        """Return the variables that lead boto3 and the application here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "SQS_RATE_LIMITER_QUEUE": self.queue_url,
            "SQS_RATE_LIMITER_DLQ": self.dlq_url,
        }


@contextmanager
def running(directory: Path) -> Iterator[AwsEndpoint]:
    """Run an endpoint with both queues until the block ends; `directory` gets its log."""
    endpoint = AwsEndpoint.at(ports.free())
    with child_running(part(endpoint), directory / "log"):
        yield endpoint


def part(endpoint: AwsEndpoint) -> Part:
    """Return the endpoint to start; it forgets everything when it ends, so ready means that the queues exist again."""
    command = python("-m", "embedded.aws_process", str(endpoint.port))
    return Part(name="aws", command=command, ready=lambda _: create_queues(endpoint))


def create_queues(endpoint: AwsEndpoint) -> bool:
    """Create both queues, or leave them as they are; False when the endpoint doesn't answer yet."""
    redrive = {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{DEAD_LETTER_QUEUE}",
        "maxReceiveCount": MAX_RECEIVE_COUNT,
    }
    queues = {
        DEAD_LETTER_QUEUE: {"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)},
        QUEUE: {"MessageRetentionPeriod": str(QUEUE_RETENTION_SECONDS), "RedrivePolicy": json.dumps(redrive)},
    }
    try:
        for name, attributes in queues.items():
            _create_queue(endpoint, name, attributes)
    except OSError:
        return False
    return True


def _create_queue(endpoint: AwsEndpoint, name: str, attributes: Mapping[str, str]) -> None:
    """Call SQS as boto3 does, but for its import (0.6 s) and the signature, of which moto reads only the scope."""
    request = urllib.request.Request(
        endpoint.url,
        data=json.dumps({"QueueName": name, "Attributes": attributes}).encode(),
        headers={
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20000101/{REGION}/sqs/aws4_request",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "AmazonSQS.CreateQueue",
        },
    )
    urllib.request.urlopen(request, timeout=5).close()
