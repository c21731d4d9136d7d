"""Faults as a caller meets them, and what really happened according to the journal."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from onlyfansapi import APIConnectionError, APITimeoutError, AuthenticationError, InternalServerError, RateLimitError

from tests.embedded.platform.sim import Sim


def _send(sim: Sim, timeout: float = 10) -> None:
    sim.sdk.with_options(timeout=timeout).chats.messages.send("7", account="acct_a", text="Hello", idempotency_key="k")


def test_an_error_before_delivery_delivers_nothing(sim: Sim) -> None:
    sim.fault("status", times=1)
    with pytest.raises(InternalServerError, match="Server Error"):
        _send(sim)
    assert (sim.last()["outcome"], sim.last()["status"], sim.texts()) == ("error", 500, [])
    _send(sim)
    assert (sim.last()["outcome"], sim.texts()) == ("delivered", ["<p>Hello</p>"])


def test_an_error_after_delivery_is_executed_again_under_the_same_key(sim: Sim) -> None:
    sim.fault("status_after_delivery", status=503, times=1)
    with pytest.raises(InternalServerError):
        _send(sim)
    assert (sim.last()["outcome"], sim.last()["status"]) == ("delivered", 503)
    assert sim.texts() == ["<p>Hello</p>"]
    _send(sim)
    assert sim.texts() == ["<p>Hello</p>"] * 2
    assert sim.summary()["duplicates"] == 1


@pytest.mark.parametrize("kind", ["reset", "down"])
def test_a_dropped_connection_delivers_nothing(sim: Sim, kind: str) -> None:
    sim.fault(kind, times=1)
    with pytest.raises(APIConnectionError):
        _send(sim)
    assert (sim.last()["outcome"], sim.last()["status"], sim.texts()) == ("dropped", None, [])
    assert sim.last()["text"] == "Hello"
    _send(sim)
    assert sim.last()["outcome"] == "delivered"


@pytest.mark.parametrize(("kept", "again"), [(True, "replayed"), (False, "delivered")])
def test_a_connection_dropped_after_delivery(sim: Sim, kept: bool, again: str) -> None:
    sim.fault("reset_after_delivery", times=1, kept=kept)
    with pytest.raises(APIConnectionError):
        _send(sim)
    assert (sim.last()["outcome"], sim.last()["status"], sim.texts()) == ("delivered", None, ["<p>Hello</p>"])
    _send(sim)
    assert sim.last()["outcome"] == again


def test_a_hanging_call_delivers_nothing_and_ends_with_its_caller(sim: Sim) -> None:
    sim.fault("hang", times=1)
    with pytest.raises(APITimeoutError):
        _send(sim, timeout=0.3)
    entry = sim.last_when("dropped")
    assert entry["left"]
    assert 0.25 < entry["end"] - entry["at"] < 5
    assert sim.summary()["running"] == 0
    _send(sim)
    assert sim.last()["outcome"] == "delivered"


def test_a_hanging_call_is_dropped_at_its_end(sim: Sim) -> None:
    sim.fault("hang", seconds=0.2)
    with pytest.raises(APIConnectionError):
        _send(sim)
    assert (sim.last()["outcome"], sim.last()["left"]) == ("dropped", False)


@pytest.mark.parametrize(("kept", "again"), [(True, "replayed"), (False, "delivered")])
def test_a_call_that_hangs_after_delivery(sim: Sim, kept: bool, again: str) -> None:
    sim.fault("hang_after_delivery", times=1, kept=kept)
    with pytest.raises(APITimeoutError):
        _send(sim, timeout=0.3)
    assert (sim.last()["outcome"], sim.last()["left"], sim.texts()) == ("delivered", True, ["<p>Hello</p>"])
    time.sleep(0.05)
    _send(sim)
    assert sim.last()["outcome"] == again


def test_a_slow_call_delivers_even_when_its_caller_has_left(sim: Sim) -> None:
    sim.fault("latency", seconds=0.5, times=1)
    with pytest.raises(APITimeoutError):
        _send(sim, timeout=0.2)
    assert (sim.last()["outcome"], sim.texts()) == ("running", [])
    entry = sim.last_when("delivered")
    assert sim.texts() == ["<p>Hello</p>"]
    assert entry["end"] < entry["delivered_at"]


def test_down_refuses_everything_and_up_again_nothing(sim: Sim) -> None:
    sim.fault("down")
    for path in ("/api/whoami", "/api/accounts", "/api/acct_a/chats/7/messages"):
        with pytest.raises(httpx.TransportError):
            sim.http.get(path)
    sim.works_again()
    assert sim.http.get("/api/whoami").status_code == 200


@pytest.mark.parametrize(("kind", "params"), [("html_502", {}), ("down", {"html": True})])
def test_a_gateway_in_front_speaks_html(sim: Sim, kind: str, params: dict[str, object]) -> None:
    sim.fault(kind, **params)
    with pytest.raises(InternalServerError) as broken:
        _send(sim)
    assert (broken.value.status_code, broken.value.response.headers["Content-Type"]) == (502, "text/html")
    assert sim.last()["outcome"] == "error"


@pytest.mark.parametrize(
    ("rule", "header", "body"),
    [
        ({"header_retry_after": "0", "body_retry_after": 30}, "0", 30),
        ({"header_retry_after": 120}, "120", None),
        ({"header_retry_after": None}, None, None),
        ({}, "30", None),
    ],
)
def test_429_says_when_in_header_and_body_apart(sim: Sim, rule: dict[str, object], header: str, body: int) -> None:
    sim.fault("rate_limited", times=1, **rule)
    with pytest.raises(RateLimitError) as limited:
        _send(sim)
    assert isinstance(limited.value.body, dict)
    assert limited.value.response.headers.get("Retry-After") == header
    assert limited.value.body.get("retry_after") == body
    _send(sim)
    assert [entry["outcome"] for entry in sim.entries()] == ["refused", "delivered"]


def test_an_account_can_lose_its_session(sim: Sim) -> None:
    sim.fault("unauthorized", account="acct_a")
    with pytest.raises(AuthenticationError, match="SESSION_EXPIRED"):
        _send(sim)
    assert sim.http.get("/api/acct_a/me").status_code == 401
    assert sim.send("acct_b").status_code == 200
    assert sim.http.get("/api/whoami").status_code == 200


def test_the_whole_key_can_be_refused(sim: Sim) -> None:
    sim.fault("unauthorized")
    for path in ("/api/whoami", "/api/accounts", "/api/acct_a/me"):
        answer = sim.http.get(path)
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert sim.send(key="k").status_code == 401
    sim.works_again()
    assert sim.send(key="k").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("payment_required", 402, "PAYMENT_REQUIRED"),
        ("unreachable_fan", 400, "ONLYFANS_COM_ERROR"),
        ("conflict", 409, "IDEMPOTENCY_CONFLICT"),
        ("mismatch", 422, "IDEMPOTENCY_KEY_MISMATCH"),
    ],
)
def test_the_platforms_other_refusals(sim: Sim, kind: str, status: int, error: str) -> None:
    sim.fault(kind)
    answer = sim.send(key="k")
    assert (answer.status_code, answer.json()["error"], sim.last()["outcome"]) == (status, error, "refused")


@pytest.mark.parametrize(("kind", "outcome"), [("no_id", "error"), ("no_id_after_delivery", "delivered")])
@pytest.mark.parametrize("error", [False, True])
def test_200_without_a_message_id(sim: Sim, kind: str, outcome: str, error: bool) -> None:
    sim.fault(kind, error=error)
    sent = sim.sdk.chats.messages.send("7", account="acct_a", text="Hello")
    assert sent.data is None or sent.data.id is None
    assert (sim.last()["outcome"], len(sim.texts())) == (outcome, int(outcome == "delivered"))


def test_a_redirect_leads_to_something_else_that_says_200(sim: Sim) -> None:
    sim.fault("redirect", times=1)
    answer = sim.send()
    assert (answer.status_code, answer.headers["Location"], sim.last()["outcome"]) == (302, "/api/whoami", "error")
    sim.fault("redirect", status=307, location="https://elsewhere.example.com/", times=1)
    assert sim.send().status_code == 307


def test_a_trickling_answer_outlives_any_time_out_per_read(sim: Sim) -> None:
    sim.fault("trickle", interval=0.001)
    before = time.monotonic()
    assert sim.send(timeout=0.5).json()["data"]["id"]
    assert time.monotonic() - before > 0.9
    assert sim.last()["outcome"] == "delivered"


def test_any_status_with_any_body_and_headers(sim: Sim) -> None:
    sim.fault("status", status=418, body={"message": "teapot"}, headers={"X-Kind": "tea"}, times=1)
    answer = sim.send()
    assert (answer.status_code, answer.json()["message"], answer.headers["X-Kind"]) == (418, "teapot", "tea")


def test_faults_strike_only_the_calls_they_name(sim: Sim) -> None:
    sim.fault("status", call="list_messages", account="acct_a", chat="7")
    assert sim.http.get("/api/acct_a/chats/7/messages").status_code == 500
    assert sim.http.get("/api/acct_a/chats/8/messages").status_code == 200
    assert sim.http.get("/api/acct_b/chats/7/messages").status_code == 200
    assert sim.send().status_code == 200


def test_a_reset_drops_the_calls_that_wait(sim: Sim) -> None:
    sim.fault("hang")
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(sim.send)
        while not sim.entries():
            pass
        sim.tell("/reset", {})
        with pytest.raises(httpx.TransportError):
            hanging.result(timeout=5)
    assert sim.entries() == []
    assert sim.ask("/faults")["faults"] == []
