"""What tests of delivery stand on: real queues that may misbehave, a real Redis whose time passes when told."""

from collections.abc import Iterator

import pytest

from app.delivery.relay import Relay
from app.gateways.sqs import SqsQueue
from embedded.aws import REGION, AwsEndpoint
from tests.delivery.queues import UnrulyQueue
from tests.delivery.virtual import VirtualRedis


@pytest.fixture
def queue(aws: AwsEndpoint) -> Iterator[UnrulyQueue]:
    """The delivery queue, empty."""
    queue = UnrulyQueue(SqsQueue(aws.queue_url, REGION, 5))
    yield queue
    queue.close()


@pytest.fixture
def dead_letters(aws: AwsEndpoint) -> Iterator[UnrulyQueue]:
    """The dead letters, empty."""
    queue = UnrulyQueue(SqsQueue(aws.dlq_url, REGION, 5))
    yield queue
    queue.close()


@pytest.fixture
def relay(queue: UnrulyQueue, dead_letters: UnrulyQueue) -> Relay:
    """A relay to both."""
    return Relay(queue, dead_letters)


@pytest.fixture
def virtual(redis_url: str) -> VirtualRedis:
    """A Redis whose time passes when told: 3 calls in 10 s, a second apart."""
    return VirtualRedis(redis_url)
