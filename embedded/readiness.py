"""When the web process and the worker are ready: asked from outside, as anybody could."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable

# The deployment check is limited to 60 requests a minute and address, and others may need some of them.
ASK_WORKER_SECONDS = 2.0


def answers(url: str) -> bool:
    """Tell whether the application itself answers, whatever it says, as long as it isn't broken."""
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        with error:
            return error.code < 500
    except OSError:
        return False


def delivers(url: str) -> bool:
    """Tell whether the application sees a living worker, or needs none (delivery is stopped or not set up)."""
    try:
        with urllib.request.urlopen(f"{url}/api/onlyfans/messages/send", timeout=5) as answer:
            state = json.load(answer)
    except (OSError, ValueError):
        return False
    return bool(state["active"] or not (state["configured"] and state["enabled"]))


def seldom(ask: Callable[[], bool], seconds: float) -> Callable[[str], bool]:
    """Return a test for a Part that asks only so often, and says no in between."""
    next_time = 0.0

    def ready(_output: str) -> bool:
        nonlocal next_time
        if time.monotonic() < next_time:
            return False
        next_time = time.monotonic() + seconds
        return ask()

    return ready
