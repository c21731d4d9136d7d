"""Requests that publish at the same moment share one call to SQS: it costs as much for ten tickets as for one."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FULL = 100
PATIENCE = 5.0
# While several come at a time: doubles what a bag holds, for less than the calls that it spares.
GATHERING = 0.015


@dataclass(slots=True, eq=False)
class _Post:
    """What one request brought. `turn` is set when it was taken along (`done`), or is to go itself."""

    message_ids: Sequence[int]
    taken: dict[int, str] = field(default_factory=dict)
    done: bool = False
    turn: threading.Event = field(default_factory=threading.Event)


class Mailbag:
    """Whoever comes while nobody is under way goes at once; who comes meanwhile waits, and goes together next.

    After a bag of several, the next one waits a moment for more; after a bag of one it goes at once again.

    `carry` publishes messages: id → SQS' id for those that it took; it raises nothing for the queue.
    """

    def __init__(self, carry: Callable[[Sequence[int]], dict[int, str]]) -> None:
        self.carry = carry
        self.lock = threading.Lock()
        self.waiting: list[_Post] = []
        self.under_way = False
        self.crowded = False

    def post(self, message_ids: Sequence[int]) -> dict[int, str]:
        """Publish these messages, perhaps with others'; the SQS ids of those that were taken."""
        mine = _Post(message_ids)
        with self.lock:
            self.waiting.append(mine)
            goes = not self.under_way
            self.under_way = True
        if not goes:
            mine.turn.wait(PATIENCE)
            with self.lock:
                goes = mine.turn.is_set() and not mine.done
                if not goes and mine in self.waiting:
                    # The relay hands on what isn't published.
                    self.waiting.remove(mine)
        if goes:
            self._go()
        return mine.taken

    def _go(self) -> None:
        if self.crowded:
            time.sleep(GATHERING)
        with self.lock:
            bag, self.waiting = self.waiting[:FULL], self.waiting[FULL:]
            self.crowded = len(bag) > 1
        taken: dict[int, str] = {}
        try:
            taken = self.carry([message_id for post in bag for message_id in post.message_ids])
        finally:
            with self.lock:
                for post in bag:
                    post.taken = {name: taken[name] for name in post.message_ids if name in taken}
                    post.done = True
                    post.turn.set()
                self.under_way = bool(self.waiting)
                if self.waiting:
                    self.waiting[0].turn.set()
