"""A load generator: `python -m bench.load` reads a plan on standard input, and prints what its connections saw.

Requests are bytes that were written before, answers are read only as far as their length: it costs little enough to
keep sixteen connections busy while it shares two cores with what it measures.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(slots=True)
class Seen:
    """What all connections saw: seconds of each answer, and how many answers weren't 2xx."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


class Caller(asyncio.Protocol):
    """One keep-alive connection that repeats its requests, one after the other, until the time is over."""

    def __init__(self, requests: list[bytes], until: float, seen: Seen, done: "asyncio.Future[None]") -> None:
        self.requests = requests
        self.until = until
        self.seen = seen
        self.done = done
        self.number = 0
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
        self.seen.seconds.append(time.perf_counter() - self.began)
        self.seen.refused += head[9:10] != b"2"
        self.buffer = b""
        if b"connection: close" in head.lower() or time.perf_counter() >= self.until:
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
        self.transport.write(self.requests[self.number % len(self.requests)])
        self.number += 1


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.index(LENGTH) + len(LENGTH)
    return int(lower[at:].partition(b"\r\n")[0])


async def _keep_calling(port: int, requests: list[bytes], until: float, seen: Seen) -> None:
    """A connection, and another one when a worker that is renewed closes it."""
    loop = asyncio.get_running_loop()
    while time.perf_counter() < until:
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda: Caller(requests, until, seen, done), "127.0.0.1", port)  # noqa: B023
        await done


async def _run(port: int, connections: list[list[bytes]], seconds: float) -> Seen:
    seen, until = Seen(), time.perf_counter() + seconds
    await asyncio.gather(*(_keep_calling(port, requests, until, seen) for requests in connections))
    return seen


def main() -> None:
    """Do as the plan says: `{port, seconds, connections: [[request, …], …]}`, requests in Latin-1."""
    plan = json.load(sys.stdin)
    connections = [[request.encode("latin-1") for request in requests] for requests in plan["connections"]]
    seen = asyncio.run(_run(plan["port"], connections, plan["seconds"]))
    json.dump({"seconds": seen.seconds, "refused": seen.refused, "cpu": time.process_time()}, sys.stdout)


if __name__ == "__main__":
    main()
