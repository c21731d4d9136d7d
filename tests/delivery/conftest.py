"""What tests of delivery stand on: real queues that may misbehave, a real Redis whose time passes when told."""

from collections.abc import Iterator

import pytest

from app.delivery.relay import Relay
from app.gateways.sqs import SqsQueue
from embedded.aws import REGION, AwsEndpoint
from tests.delivery.gated import GatedPlatform
from tests.delivery.queues import UnrulyQueue
from tests.delivery.virtual import VirtualRedis


@pytest.fixture(scope="session")
def _real_queues() -> Iterator[dict[str, SqsQueue]]:
    """By URL: a client of SQS takes long to make."""
    made: dict[str, SqsQueue] = {}
    yield made
    for queue in made.values():
        queue.client.close()
        queue.poller.close()


@pytest.fixture
def queue(aws: AwsEndpoint, _real_queues: dict[str, SqsQueue]) -> UnrulyQueue:
    """The delivery queue, empty."""
    return _unruly(aws.queue_url, _real_queues)


@pytest.fixture
def dead_letters(aws: AwsEndpoint, _real_queues: dict[str, SqsQueue]) -> UnrulyQueue:
    """The dead letters, empty."""
    return _unruly(aws.dlq_url, _real_queues)


def _unruly(url: str, made: dict[str, SqsQueue]) -> UnrulyQueue:
    if url not in made:
        made[url] = SqsQueue(url, REGION, 5)
    return UnrulyQueue(made[url])


@pytest.fixture
def relay(queue: UnrulyQueue, dead_letters: UnrulyQueue) -> Relay:
    """A relay to both."""
    return Relay(queue, dead_letters)


@pytest.fixture
def virtual(redis_url: str) -> VirtualRedis:
    """A Redis whose time passes when told: 3 calls in 10 s, a second apart."""
    return VirtualRedis(redis_url)


@pytest.fixture
def gated() -> GatedPlatform:
    """A platform that does what it is told."""
    return GatedPlatform()
