"""A deployment as the Procfile starts it: what its log says and never says, and how its web process ends."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.extensions import db
from app.messages.models import Message, Status
from embedded import ports
from embedded.child import Child, Part, python
from tests.journeys.waiting import until
from tests.journeys.workers import Worker
from tests.support.apps import PRODUCTION, Environment
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.journey
SEND = "/api/onlyfans/messages/send"
TEXT = "canary-text-of-a-message"
QUERY = "canary-query-of-an-address"
HEADER = "canary-of-a-broken-header"
KEY = "canary-key-of-the-platform"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A web and a worker process, and a client of the former."""

    web: Child
    worker: Worker
    client: httpx.Client


@pytest.fixture
def deployment(
    environment: Environment, tmp_path: Path, aws: object, platform: str, cast: Cast
) -> Iterator[Deployment]:
    """In production, telling everything that it can tell."""
    port = ports.free()
    told = {"LOG_LEVEL": "DEBUG", "HOST": "127.0.0.1", "PORT": port, "WEB_CONCURRENCY": 1, "WEBHOOK_SECRET": "w" * 32}
    variables = environment(**PRODUCTION, **told)
    gunicorn = python("-m", "gunicorn", "--config", "gunicorn.conf.py", "app:create_app()")
    web = Child(Part(name="web", command=gunicorn, environment={**os.environ, **variables}, stop_seconds=10), tmp_path)
    web.start()
    worker = Worker(variables, tmp_path, 1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        until(lambda: _is_up(client), web.output)
        yield Deployment(web, worker, client)
    web.stop()
    worker.stop()


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_deployment_tells_no_secret_and_ends_when_it_is_asked_to(deployment: Deployment, cast: Cast) -> None:
    client = deployment.client
    signed_in = client.post("/api/auth/token", json={"email": cast.ada.email, "password": PASSWORD}).json()
    access = {"Authorization": f"Bearer {signed_in['accessToken']}"}
    accepted = client.post(SEND, json={"recipientId": "1001", "content": TEXT}, headers=access)
    message_id = accepted.json()["messageId"]
    _make_trouble(client, access)
    cookie = client.get("/login").headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    until(lambda: _status(message_id) == Status.SENT, deployment.worker.log)
    _ends_after_its_last_answer(deployment, access)
    web, worker = deployment.web.output(), deployment.worker.log()
    tokens = [*signed_in["accessToken"].split(".")[1:], signed_in["refreshToken"], cookie]
    secrets = [PRODUCTION[name] for name in ("SECRET_KEY", "JWT_SECRET_KEY", "ENCRYPTION_KEY")]
    planted = [TEXT, QUERY, HEADER, KEY, cast.ada.email, PASSWORD, "w" * 32, *tokens, *secrets]
    assert [one for one in planted if one in web or one in worker] == []
    _tells_what_happened(deployment, message_id, accepted.headers["X-Request-Id"])


def test_a_default_secret_ends_the_start_with_one_line(environment: Environment, tmp_path: Path) -> None:
    variables = environment(**{**PRODUCTION, "SECRET_KEY": "", "HOST": "127.0.0.1", "PORT": ports.free()})
    gunicorn = python("-m", "gunicorn", "--config", "gunicorn.conf.py", "app:create_app()")
    web = Child(Part(name="web", command=gunicorn, environment={**os.environ, **variables}), tmp_path)
    web.start()
    until(lambda: web.exit_code() is not None, web.output, 10)
    assert web.exit_code() == 1
    refusals = [line for line in web.output().splitlines() if not line.startswith("{")]
    assert refusals == ["Configuration: SECRET_KEY must be a secret of its own, at least 32 characters, in production."]


def _make_trouble(client: httpx.Client, access: dict[str, str]) -> None:
    """Requests that libraries like to complain about, in full."""
    answers = [
        client.post("/api/auth/token", json={"email": "ada@example.com", "password": KEY}),
        client.get(f"/nowhere?q={QUERY}"),
        client.post(
            SEND, content=f'{{"content": "{TEXT}'.encode(), headers={**access, "Content-Type": "application/json"}
        ),
        client.post("/api/crm/fans", json={"name": TEXT, "handle": TEXT, "email": TEXT}, headers=access),
        client.post("/api/onlyfans/accounts", json={"platformId": "acct_x", "apiKey": KEY}, headers=access),
        client.post("/api/onlyfans/webhooks", content=TEXT, headers={"Signature": HEADER}),
    ]
    assert {answer.status_code for answer in answers} <= {400, 401, 404, 503}
    with socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=10) as broken:
        broken.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization {HEADER}\r\n\r\n".encode())
        assert b" 400 " in broken.recv(1000)


def _status(message_id: str) -> str | None:
    db.session.rollback()
    return db.session.scalar(select(Message.status).where(Message.public_id == message_id))


def _ends_after_its_last_answer(deployment: Deployment, access: dict[str, str]) -> None:
    """SIGTERM while a request is half read: it is answered and kept, and the process ends by itself."""
    body = json.dumps({"recipientId": "1002", "content": TEXT}).encode()
    url = deployment.client.base_url
    head = f"POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: {access['Authorization']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection((url.host, url.port or 0), timeout=10) as slow:
        slow.sendall(head.encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 100 ")
        slow.sendall(body[:10])
        deployment.web.terminate()
        until(lambda: "Handling signal: term" in deployment.web.output(), deployment.web.output, 5)
        slow.sendall(body[10:])
        answer = slow.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 202 "), answer
    until(lambda: deployment.web.exit_code() is not None, deployment.web.output, 10)
    assert deployment.web.exit_code() == 0, deployment.web.output()
    message_id = json.loads(answer.partition("\r\n\r\n")[2])["messageId"]
    assert _status(message_id) is not None


def _tells_what_happened(deployment: Deployment, message_id: str, request_id: str) -> None:
    """Every line is an event; one message can be followed from its request to its delivery."""
    told = [
        [json.loads(line) for line in output.splitlines()]
        for output in (deployment.web.output(), deployment.worker.log())
    ]
    assert [line for lines in told for line in lines if not line.keys() >= {"time", "level", "event", "logger"}] == []
    web, worker = (
        [(line["event"], line.get("request_id")) for line in lines if line.get("messageId") == message_id]
        for lines in told
    )
    assert ("message_accepted", request_id) in web
    assert ("message_sent", None) in worker
