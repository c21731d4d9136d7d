"""A real queue that misbehaves as told: it doubles, withholds, turns round, refuses, and goes away before or after."""

import json
from collections.abc import Sequence
from typing import Any

from app.gateways.sqs import Depth, Queue, QueueUnavailable, Received, SqsQueue, Ticket


class UnrulyQueue:
    """Implements `Queue` around a real one.

    `away`: nobody answers; `breaks_off`: it does as asked, and the answer is lost; `doubled`, `reversed`, `withheld`:
    how tickets come out; `refused`: ids of tickets that it doesn't take; `keeps`: it can't delete.
    """

    def __init__(self, queue: SqsQueue) -> None:
        self.queue = queue
        self.away = self.breaks_off = False
        self.doubled = self.reversed = False
        self.withheld = 0
        self.refused: set[str] = set()
        self.sends = 0
        self.keeps = False

    def send(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """Put those that aren't refused on the real queue."""
        self.sends += 1
        self._answer_or_not(self.away)
        taken = self.queue.send([ticket for ticket in tickets if ticket.id not in self.refused])
        self._answer_or_not(self.breaks_off)
        return taken

    def receive(self, wait: int) -> list[Received]:
        """What the real queue has, as unruly as told; it never waits."""
        self._answer_or_not(self.away)
        if self.withheld:
            self.withheld -= 1
            return []
        found = self.queue.receive(0)
        self._answer_or_not(self.breaks_off)
        found = found * 2 if self.doubled else found
        return found[::-1] if self.reversed else found

    def delete(self, handles: Sequence[str]) -> None:
        """Drop them from the real queue, which gives no handle twice."""
        self._answer_or_not(self.away or self.keeps)
        self.queue.delete(list(dict.fromkeys(handles)))
        self._answer_or_not(self.breaks_off)

    def depth(self) -> Depth:
        """The real queue's."""
        self._answer_or_not(self.away)
        return self.queue.depth()

    def hold(self, seconds: int) -> list[Received]:
        """What the real queue holds."""
        self._answer_or_not(self.away)
        return self.queue.hold(seconds)

    def release(self, handles: Sequence[str]) -> None:
        """Show them again in the real queue."""
        self._answer_or_not(self.away)
        self.queue.release(handles)

    def purge(self) -> None:
        """Empty the real queue."""
        self._answer_or_not(self.away)
        self.queue.purge()

    def _answer_or_not(self, silent: bool) -> None:
        if silent:
            raise QueueUnavailable("nobody answers")


def put(queue: Queue, *bodies: str) -> None:
    """Put bodies on the queue, as another system does."""
    queue.send([Ticket(str(number), body, {"priority": "high"}, "other") for number, body in enumerate(bodies)])


def drain(queue: UnrulyQueue) -> list[dict[str, Any]]:
    """Take everything off a queue; the bodies, read as JSON."""
    bodies = []
    while received := queue.queue.receive(0):
        queue.queue.delete([item.handle for item in received])
        bodies += [json.loads(item.body) for item in received]
    return bodies
