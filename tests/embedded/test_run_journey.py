"""`bin/run` from the first line to Ctrl-C, with the real application and all its parts."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded import ports
from tests.embedded.programs import eventually, is_alive

# Empty counts as not given, and goes before what a developer's .env may say.
NOT_GIVEN = ("DATABASE_URL", "REDIS_URL", "AWS_ENDPOINT_URL", "SQS_RATE_LIMITER_QUEUE", "ONLY_FANS_API_BASE_URL")
pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


class Run:
    """A running `bin/run` and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://{ports.LOOPBACK}:{port}"
        self.said = ""

    def until(self, pattern: str) -> re.Match[str]:
        """Read on until a line matches; fail at the end of the output."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if match := re.search(pattern, line):
                return match
        pytest.fail(f"no line with {pattern} in\n{self.said}")

    def children(self) -> dict[str, int]:
        """Return the ids of the processes that it started, by what stands in their command lines."""
        pid = self.process.pid
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "): int(pid) for pid in pids}

    def child(self, command: str) -> int:
        """Return the id of the process with that in its command line."""
        return next(pid for line, pid in self.children().items() if command in line)


@contextmanager
def running(state: Path) -> Iterator[Run]:
    """Start everything on a port of its own; end it with Ctrl-C, if the test hasn't."""
    port = ports.free()
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded.run", "--state", state, "--no-demo"],
        env={**os.environ, **dict.fromkeys(NOT_GIVEN, ""), "PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        run = Run(process, port)
        try:
            run.until("Ctrl-C stops everything")
            yield run
        finally:
            process.send_signal(signal.SIGINT)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_everything_comes_up_comes_back_and_goes_away(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        with urllib.request.urlopen(f"{run.url}/login", timeout=10) as page:
            assert page.status == 200
        os.kill(run.child("embedded.aws_process"), signal.SIGKILL)
        run.until(r"aws ended \(exit code -9\)")
        run.until("aws runs again")
        pids = list(run.children().values())
        assert len(pids) == 5
        run.process.send_signal(signal.SIGINT)
        run.until("Stopped")
        assert run.process.wait(10) == 0
    assert eventually(lambda: not any(is_alive(pid) for pid in pids))
    assert (tmp_path / "huntaze.sqlite3").exists()
