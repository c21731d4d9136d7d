"""Waiting: bounded, by polling, and telling what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE = 40.0
POLL = 0.05


def until(condition: Callable[[], Found], what: str | Callable[[], str], seconds: float = PATIENCE) -> Found:
    """Return the condition's first true answer; fail with `what` when there was none within `seconds`."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > ends:
            told = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds:g} s: {told}")
        time.sleep(POLL)
    return found
