"""The simulated platform's only clock."""

import time
from datetime import UTC, datetime

_BASE = time.time() - time.monotonic()


def now() -> float:
    """Return wall-clock seconds that only ever go forward: a stepped clock must not bend the journal."""
    return _BASE + time.monotonic()


def iso(at: float) -> str:
    """Return seconds since the epoch as the platform writes times: ISO 8601 with `+00:00`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
