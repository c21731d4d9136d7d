"""A load generator: `python -m bench.load` reads a plan on standard input, and prints what its connections saw.

Requests are bytes that were written before, answers are read only as far as their length: it costs little enough to
keep sixteen connections busy while it shares two cores with what it measures.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

# Between one connection and the next: in a burst, whichever of the server's processes wakes first takes nearly all.
APART = 0.02
END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(slots=True)
class Seen:
    """What all connections saw: seconds of each answer to what was asked from `since` on, and what wasn't 2xx."""

    since: float
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    answered: int = 0


@dataclass(slots=True)
class Line:
    """What one caller asks, one after the other: again and again until the time is over, or `once`."""

    requests: list[bytes]
    until: float
    once: bool
    answered: int = 0

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to ask."""
        return self.answered >= len(self.requests) if self.once else time.perf_counter() >= self.until

    @property
    def next(self) -> bytes:
        """What is asked now; it stays the next one until it was answered."""
        return self.requests[self.answered % len(self.requests)]


class Caller(asyncio.Protocol):
    """One keep-alive connection that asks what stands in its line."""

    def __init__(self, line: Line, seen: Seen, done: "asyncio.Future[None]") -> None:
        self.line = line
        self.seen = seen
        self.done = done
        self.buffer = b""
        self.began = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """A piece of an answer."""
        self.buffer += data
        head, end, body = self.buffer.partition(END)
        if not end or len(body) < _length(head):
            return
        self.seen.answered += 1
        if self.began >= self.seen.since:
            self.seen.seconds.append(time.perf_counter() - self.began)
        self.seen.refused += head[9:10] != b"2"
        self.line.answered += 1
        self.buffer = b""
        if b"connection: close" in head.lower() or self.line.is_over:
            assert self.transport is not None
            self.transport.close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The server closed it, or the time is over."""
        if not self.done.done():
            self.done.set_result(None)

    def _ask(self) -> None:
        assert self.transport is not None
        self.began = time.perf_counter()
        self.transport.write(self.line.next)


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.index(LENGTH) + len(LENGTH)
    return int(lower[at:].partition(b"\r\n")[0])


async def _keep_calling(port: int, line: Line, seen: Seen) -> None:
    """A connection, and another one when a worker that is renewed closes it."""
    loop = asyncio.get_running_loop()
    while not line.is_over:
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda: Caller(line, seen, done), "127.0.0.1", port)  # noqa: B023
        await done


async def _run(port: int, connections: list[list[bytes]], seconds: float | None) -> Seen:
    """Connect one after another; what is asked before all are there counts only if everything is asked once."""
    all_there = time.perf_counter() + APART * len(connections)
    seen = Seen(since=0.0 if seconds is None else all_there)
    lines = [Line(requests, all_there + (seconds or 0), once=seconds is None) for requests in connections]
    async with asyncio.TaskGroup() as group:
        for line in lines:
            group.create_task(_keep_calling(port, line, seen))
            await asyncio.sleep(APART)
    return seen


def main() -> None:
    """Do as the plan says: `{port, seconds, connections: [[request, …], …]}`, requests in Latin-1; no seconds: once."""
    plan = json.load(sys.stdin)
    connections = [[request.encode("latin-1") for request in requests] for requests in plan["connections"]]
    seen = asyncio.run(_run(plan["port"], connections, plan["seconds"]))
    json.dump({"seconds": seen.seconds, "refused": seen.refused, "answered": seen.answered}, sys.stdout)


if __name__ == "__main__":
    main()
