"""The real parts: a worker of the tests starts each once, and every test finds them empty."""

import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from embedded import aws as embedded_aws
from embedded import platform_process, redis_server
from embedded.aws import AwsEndpoint


@pytest.fixture(scope="session")
def workshop() -> Iterator[Path]:
    """A folder of this worker with a short path (sockets live in it), gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hz-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _redis_server(workshop: Path) -> Iterator[str]:
    with redis_server.running(workshop / "redis") as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """The URL of a real Redis with nothing in it; a test that stops or breaks one starts its own."""
    with redis.Redis.from_url(_redis_server) as client:
        client.flushall()
    return _redis_server


@pytest.fixture(scope="session")
def _aws_server(workshop: Path) -> Iterator[AwsEndpoint]:
    with embedded_aws.running(workshop / "aws") as endpoint:
        yield endpoint


@pytest.fixture
def aws(_aws_server: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> AwsEndpoint:
    """SQS and CloudWatch with the two queues, empty; boto3 finds it by the environment."""
    _post(f"{_aws_server.url}/moto-api/reset")
    assert embedded_aws.create_queues(_aws_server)
    for name, value in _aws_server.environment().items():
        monkeypatch.setenv(name, value)
    return _aws_server


@pytest.fixture(scope="session")
def _platform_server(workshop: Path) -> Iterator[str]:
    with platform_process.running(workshop / "platform") as url:
        yield url


@pytest.fixture
def platform(_platform_server: str) -> str:
    """The URL of a simulated platform, in a process of its own, that has forgotten everything."""
    _post(f"{_platform_server}/_sim/reset")
    return _platform_server


def _post(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10).close()
