"""When the web process and the worker count as ready."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from embedded import ports, readiness


class Application(HTTPServer):
    """A stand-in that gives every request the same answer."""

    status = 200
    body: object = None
    url = ""


class Handler(BaseHTTPRequestHandler):
    """Gives the server's answer."""

    server: Application

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def application() -> Iterator[Application]:
    """Serve a stand-in on a free port."""
    with Application((ports.LOOPBACK, 0), Handler) as server:
        server.url = f"http://{ports.LOOPBACK}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (404, True), (500, False), (503, False)])
def test_the_web_process_is_ready_when_it_answers_unless_it_is_broken(
    application: Application, status: int, ready: bool
) -> None:
    application.status = status
    assert readiness.answers(application.url) is ready


def test_nothing_is_ready_where_nobody_listens() -> None:
    url = f"http://{ports.LOOPBACK}:{ports.free()}"
    assert not readiness.answers(url)
    assert not readiness.delivers(url)


@pytest.mark.parametrize(
    ("configured", "enabled", "active", "ready"),
    [(True, True, True, True), (True, True, False, False), (True, False, False, True), (False, True, False, True)],
)
def test_the_worker_is_ready_when_it_delivers_or_has_nothing_to_deliver(
    application: Application, configured: bool, enabled: bool, active: bool, ready: bool
) -> None:
    application.body = {"success": True, "configured": configured, "enabled": enabled, "active": active}
    assert readiness.delivers(application.url) is ready


def test_too_many_questions_are_not_an_answer(application: Application) -> None:
    application.status = 429
    assert not readiness.delivers(application.url)


def test_a_question_asked_seldom_is_not_asked_again_at_once() -> None:
    asked: list[bool] = []

    def ask() -> bool:
        asked.append(True)
        return True

    ready = readiness.seldom(ask, 60)
    assert [ready(""), ready("")] == [True, False]
    assert asked == [True]
