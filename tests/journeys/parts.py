"""The real parts around a house: Redis, SQS and the platform, each a process that can be stopped and started again."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from embedded import aws, platform_process, ports, redis_server
from embedded.aws import AwsEndpoint
from embedded.child import Child
from tests.embedded.platform.sim import Sim


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

    def stop(self) -> None:
        """End all of them."""
        self.sim.close()
        for part in self._all():
            part.terminate()
        for part in self._all():
            part.stop()

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
