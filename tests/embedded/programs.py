"""Small programs for the tests of the supervisor, and how they fare."""

import time
from collections.abc import Callable
from pathlib import Path

from embedded.child import Part

WAIT_SECONDS = 5


def shell(name: str, script: str, **options: object) -> Part:
    """Return a part that runs a shell script."""
    return Part(name=name, command=["sh", "-c", script], **options)  # type: ignore[arg-type]


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait a little until the condition holds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def is_alive(pid: int) -> bool:
    """Tell whether the process does anything any more: a dead one may stay in the table until its parent looks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
