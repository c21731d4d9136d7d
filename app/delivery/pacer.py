"""The pacer: calls of an account really start `gap` seconds apart in this process, however late a thread gets its turn.

The token bucket spaces the slots; between a slot and its call lie a claim in the database and a thread's start.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 10_000


class Pacer:
    """Knows when each account's last call started, on this process' steady clock."""

    def __init__(self, gap: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self.gap = gap
        self.sleep = sleep
        self.lock = threading.Lock()
        self.starts: OrderedDict[int, float] = OrderedDict()

    def wait_turn(self, account_id: int) -> None:
        """Return when a call of this account may start; at most a gap later for each thread that is let go before."""
        while wait := self._begin(account_id):
            self.sleep(wait)

    def _begin(self, account_id: int) -> float:
        """Seconds to wait, or 0: the call starts now. No turn is taken ahead, since whoever waits may wake late."""
        with self.lock:
            now = time.monotonic()
            wait = self.starts.get(account_id, now - self.gap) + self.gap - now
            if wait > 0:
                return wait
            self.starts[account_id] = now
            self.starts.move_to_end(account_id)
            if len(self.starts) > REMEMBERED:
                self.starts.popitem(last=False)
            return 0.0
