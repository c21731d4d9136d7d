"""The pacer: calls of an account really start `gap` seconds apart in this process, however late a thread gets its turn.

The token bucket spaces the slots; between a slot and its call lie a claim in the database and a thread's start.
"""

import threading
import time
from collections import OrderedDict

REMEMBERED = 10_000


class Pacer:
    """Knows when each account's last call started, on this process' steady clock."""

    def __init__(self, gap: float) -> None:
        self.gap = gap
        self.lock = threading.Lock()
        self.starts: OrderedDict[int, float] = OrderedDict()

    def wait_turn(self, account_id: int) -> None:
        """Return when a call of this account may start; at most a gap later for each thread that waits before it."""
        with self.lock:
            now = time.monotonic()
            start = max(now, self.starts.pop(account_id, now - self.gap) + self.gap)
            self.starts[account_id] = start
            if len(self.starts) > REMEMBERED:
                self.starts.popitem(last=False)
        if start > now:
            time.sleep(start - now)
