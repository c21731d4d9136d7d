"""The platform tells what happens: to whoever asked, signed, again when nobody listened, now and then twice."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.embedded.platform.sim import Sim

SECRET = "sign-with-this"


class Ear:
    """An address that hears webhooks; `refuse` so many of them first."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refuse = 0
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                signed = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest() == self.headers["Signature"]
                key = self.headers["X-OFAPI-Idempotency-Key"]
                ear.heard.append(json.loads(raw) | {"key": key, "signed": signed})
                ear.refuse -= 1
                self.send_response(503 if ear.refuse >= 0 else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hear"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def wait(self, count: int) -> list[dict[str, Any]]:
        """What was heard, as soon as there is so much of it."""
        ends = time.monotonic() + 10
        while len(self.heard) < count:
            assert time.monotonic() < ends, self.heard
            time.sleep(0.01)
        return self.heard


@pytest.fixture
def ear() -> Iterator[Ear]:
    """An address."""
    found = Ear()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def listen(sim: Sim, ear: Ear) -> Callable[..., Any]:
    """`listen("messages.sent")`: have these events told to the ear, each once and at once."""
    sim.tell("/settings", {"doubled_webhooks": 0, "late_webhooks": 0})

    def register(*events: str) -> Any:
        return sim.sdk.webhooks.create(
            account_scope="global", endpoint_url=ear.url, events=list(events), signing_secret=SECRET
        )

    return register


def test_a_send_and_a_fans_word_are_told(sim: Sim, ear: Ear, listen: Callable[..., Any]) -> None:
    listen("messages.sent", "messages.received")
    sim.send(chat="7", text="a < b")
    sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": "Hi", "from": "fan"})
    sent, received = sorted(ear.wait(2), key=lambda one: one["event"], reverse=True)
    assert (sent["event"], sent["account_id"], sent["signed"]) == ("messages.sent", "acct_a", True)
    assert (sent["payload"]["toUser"]["id"], sent["payload"]["text"]) == (7, "<p>a &lt; b</p>")
    assert received["payload"]["fromUser"]["id"] == 7
    assert sent["key"].startswith("evt_")
    assert len(sent["key"]) == 44


def test_money_has_a_naive_time_and_the_fan_as_text(sim: Sim, ear: Ear, listen: Callable[..., Any]) -> None:
    listen("transactions.new", "tips.received")
    sim.tell("/transactions", {"account": "acct_a", "fan": "7", "amount": 8, "type": "tips"})
    tip, money = sorted(ear.wait(2), key=lambda one: one["event"])
    assert (tip["payload"]["amountGross"], tip["payload"]["amountNet"]) == (8, 6.4)
    assert (money["payload"]["fan"]["id"], money["payload"]["net_amount"]) == ("7", 6.4)
    assert len(money["payload"]["created_at"]) == 19


def test_what_nobody_took_comes_again_with_its_key(sim: Sim, ear: Ear, listen: Callable[..., Any]) -> None:
    listen("messages.sent")
    ear.refuse = 1
    sim.send()
    first, second = ear.wait(2)
    assert first == second


def test_some_are_told_twice(sim: Sim, ear: Ear, listen: Callable[..., Any]) -> None:
    listen("messages.sent")
    sim.tell("/settings", {"doubled_webhooks": 1})
    sim.send()
    first, second = ear.wait(2)
    assert first == second


def test_logins_and_subscriptions_are_told_when_they_change(sim: Sim, ear: Ear, listen: Callable[..., Any]) -> None:
    listen("accounts.session_expired", "accounts.reconnected", "subscriptions.expired")
    sim.tell("/accounts", {"id": "acct_a", "is_authenticated": True})
    sim.tell("/accounts", {"id": "acct_a", "is_authenticated": False})
    sim.tell("/fans", {"account": "acct_a", "id": "7", "is_subscribed": False})
    assert {one["event"] for one in ear.wait(2)} == {"accounts.session_expired", "subscriptions.expired"}


def test_webhooks_are_listed_changed_and_taken_out(sim: Sim, ear: Ear, listen: Callable[..., Any]) -> None:
    listen("messages.sent")
    (kept,) = sim.http.get("/api/webhooks").json()["data"]
    assert kept["has_signing_secret"]
    assert "signing_secret" not in kept
    wish = {"endpoint_url": ear.url, "events": ["messages.deleted"], "account_scope": "global", "enabled": False}
    assert sim.http.put(f"/api/webhooks/{kept['id']}", json=wish).json()["data"]["events"] == ["messages.deleted"]
    assert sim.http.delete(f"/api/webhooks/{kept['id']}").status_code == 200
    assert sim.http.get(f"/api/webhooks/{kept['id']}").status_code == 404
    assert "messages.sent" in sim.http.get("/api/webhooks/events").json()["data"]
    refused = sim.http.post("/api/webhooks", json={"endpoint_url": "nowhere", "events": []})
    assert (refused.status_code, set(refused.json()["errors"])) == (422, {"endpoint_url", "events", "account_scope"})
