"""Calls end in time, whatever the other side does: a server of plain sockets that misbehaves as told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest

from app.gateways.transport import DeadlineTransport, deadline, remaining
from embedded import ports

LIMIT = 0.4
# What a loaded machine may add; without a deadline these calls would take ten times as long.
MOST = 2.5
FOREVER = 30.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Behave = Callable[[socket.socket], None]


class Server:
    """Each connection is handed to `behave`, in a thread of its own; `accepted` counts them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.behave: Behave = answer
        self.connections: list[socket.socket] = []
        self.over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def accepted(self) -> int:
        """How many connections there were."""
        return len(self.connections)

    def close(self) -> None:
        """End them all."""
        self.over.set()
        for connection in (self.listener, *self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self.behave(connection)


def answer(connection: socket.socket) -> None:
    """Answer every request of the connection."""
    while connection.recv(65536):
        connection.sendall(OK)


def answer_once(connection: socket.socket) -> None:
    """Answer the first request and hang up without a word."""
    connection.recv(65536)
    connection.sendall(OK)
    time.sleep(0.05)
    connection.close()


def _after(beginning: bytes, piece: bytes) -> Behave:
    """Say the beginning, then go on piece by piece, each well within any time-out of its own."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(beginning)
        ends = time.monotonic() + FOREVER
        while piece and time.monotonic() < ends:
            time.sleep(0.05)
            connection.sendall(piece)

    return behave


def read_slowly(connection: socket.socket) -> None:
    """Take in the request piece by piece: each makes room for more."""
    while connection.recv(400_000):
        time.sleep(0.05)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers at once, until it is told to misbehave."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client whose own time-outs come much too late."""
    with httpx.Client(transport=DeadlineTransport(), timeout=FOREVER, trust_env=False) as client:
        yield client


def _ends_in_time(call: Callable[[], object], error: type[httpx.TransportError]) -> None:
    began = time.monotonic()
    with deadline(LIMIT), pytest.raises(error):
        call()
    assert LIMIT - 0.05 < time.monotonic() - began < MOST


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Still: here\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["silence", "no-status-line", "headers-for-ever", "a-long-body", "chunks-for-ever"],
)
def test_an_answer_that_never_ends_is_given_up_in_time(
    server: Server, client: httpx.Client, beginning: bytes, piece: bytes
) -> None:
    server.behave = _after(beginning, piece)
    _ends_in_time(lambda: client.get(server.url), httpx.ReadTimeout)


def test_a_body_that_is_taken_piece_by_piece_is_given_up_in_time(server: Server, client: httpx.Client) -> None:
    server.behave = read_slowly
    body = b"x" * 60_000_000
    _ends_in_time(lambda: client.post(server.url, content=body), httpx.WriteTimeout)


def test_a_connection_that_nobody_takes_is_given_up_in_time(client: httpx.Client) -> None:
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        _ends_in_time(lambda: client.get(f"http://127.0.0.1:{full.getsockname()[1]}"), httpx.ConnectTimeout)


def test_a_handshake_that_nobody_answers_is_given_up_in_time(server: Server, client: httpx.Client) -> None:
    server.behave = _after(b"", b"")
    _ends_in_time(lambda: client.get(server.url.replace("http", "https")), httpx.ConnectTimeout)


def test_the_next_call_after_one_that_was_given_up_works(server: Server, client: httpx.Client) -> None:
    server.behave = _after(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")
    for _ in range(3):
        _ends_in_time(lambda: client.get(server.url), httpx.ReadTimeout)
    server.behave = answer
    assert client.get(server.url).text == "ok"


def test_when_the_time_is_up_nothing_leaves(server: Server, client: httpx.Client) -> None:
    with deadline(0), pytest.raises(httpx.ConnectTimeout):
        client.get(server.url)
    assert client.get(server.url).text == "ok"
    with deadline(0), pytest.raises(httpx.WriteTimeout):
        client.get(server.url)
    assert server.accepted == 1


def test_nobody_listening_is_no_time_out(client: httpx.Client) -> None:
    with deadline(LIMIT), pytest.raises(httpx.ConnectError):
        client.get(f"http://127.0.0.1:{ports.free()}")


def test_calls_of_a_thread_share_a_connection(server: Server, client: httpx.Client) -> None:
    for _ in range(5):
        assert client.get(server.url).text == "ok"
    assert server.accepted == 1


def test_every_thread_has_a_connection_of_its_own_which_a_hanging_one_never_takes(
    server: Server, client: httpx.Client
) -> None:
    hung = threading.Event()

    def hang(connection: socket.socket) -> None:
        hung.set()
        _after(b"", b"")(connection)
        server.over.wait(FOREVER)

    def be_hung() -> None:
        with deadline(MOST), suppress(httpx.ReadTimeout):
            client.get(server.url)

    server.behave = hang
    thread = threading.Thread(target=be_hung)
    thread.start()
    assert hung.wait(5)
    server.behave = answer
    began = time.monotonic()
    assert client.get(server.url).text == "ok"
    assert time.monotonic() - began < MOST
    thread.join(10)
    assert server.accepted == 2


def test_a_kept_connection_that_the_other_side_has_closed_is_replaced_unnoticed(
    server: Server, client: httpx.Client
) -> None:
    server.behave = answer_once
    for _ in range(3):
        assert client.get(server.url).text == "ok"
        time.sleep(0.15)
    assert server.accepted == 3


def test_nothing_is_sent_twice_when_a_connection_breaks(server: Server, client: httpx.Client) -> None:
    def break_off(connection: socket.socket) -> None:
        # To its end: with something unread, closing resets the connection.
        seen = b""
        while not seen.endswith(b"\r\n\r\nx"):
            seen += connection.recv(65536)
        connection.close()

    server.behave = break_off
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(server.url, content=b"x")
    assert server.accepted == 1


def test_closing_closes_the_connections_of_all_threads(server: Server) -> None:
    client = httpx.Client(transport=DeadlineTransport(), trust_env=False)
    threads = [threading.Thread(target=client.get, args=(server.url,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    client.close()
    assert server.accepted == 3
    for connection in server.connections:
        connection.settimeout(5)
        with suppress(OSError):
            assert connection.recv(1) == b""


def test_a_deadline_is_the_thread_s_own_and_ends_with_its_block() -> None:
    others: list[float | None] = []
    assert (remaining(None), remaining(5)) == (None, 5)
    with deadline(100):
        thread = threading.Thread(target=lambda: others.append(remaining(500)))
        thread.start()
        thread.join(5)
        assert 99 < (remaining(None) or 0) <= 100
        assert (remaining(5), 99 < (remaining(500) or 0) <= 100) == (5, True)
        with deadline(0):
            assert (remaining(None), remaining(5)) == (0, 0)
            time.sleep(0.001)
            assert remaining(5) == 0
        assert 99 < (remaining(None) or 0) <= 100
    assert others == [500]
    assert remaining(None) is None
