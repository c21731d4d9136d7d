"""`worker.py` as a real process: started, asked to end, and killed at the worst moment."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from embedded.child import Child, Part, python

END_WITHIN = 40.0


class Worker:
    """One `python worker.py`, with the processes that it starts."""

    def __init__(self, environment: Mapping[str, str], directory: Path, number: int) -> None:
        part = Part(
            name=f"worker-{number}",
            command=python("worker.py"),
            environment={**os.environ, **environment},
            stop_seconds=END_WITHIN,
        )
        self.child = Child(part, directory)
        self.child.start()
        self.killed = False

    @property
    def pid(self) -> int:
        """The manager's process id."""
        return self.child.pid()

    def runs(self) -> bool:
        """Whether the manager still runs."""
        return self.child.exit_code() is None

    def delivery_pid(self) -> int | None:
        """The process id of the part that delivers, None while there is none."""
        return next((pid for pid in _children(self.pid) if b"delivery" in _command(pid)), None)

    def kill_delivery(self) -> int | None:
        """`kill -9` the process that delivers; its id."""
        pid = self.delivery_pid()
        self.killed = True
        if pid is not None:
            _kill(pid)
        return pid

    def kill_manager(self) -> None:
        """`kill -9` the manager alone; what it started notices by itself."""
        self.killed = True
        _kill(self.pid)

    def kill_all(self) -> None:
        """`kill -9` every process of it."""
        self.killed = True
        self.child.kill()

    def terminate(self) -> None:
        """Ask it to end, as a deployment does."""
        self.child.terminate()

    def stop(self) -> None:
        """Ask it to end, and end what is left."""
        self.child.stop()

    def log(self) -> str:
        """What it wrote."""
        return self.child.output()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/comm").read_bytes()
    except OSError:
        return b""
