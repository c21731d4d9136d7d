"""What the platform's answers mean: SPEC's table row by row, each answer read by the real SDK without a network."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onlyfansapi import OnlyFansAPI

from app import clock
from app.gateways import answers
from app.gateways.answers import Answer, Letter, Login, Verdict
from app.gateways.platform import OnlyFansPlatform

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
LETTER = Letter(chat="7", text="Hello", price_cents=0, media_ids=(), key="k" * 32)
HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
Handler = Callable[[httpx.Request], httpx.Response]
Read = Callable[[Handler | httpx.Response], Answer]


@pytest.fixture(scope="module")
def read() -> Read:
    """`read(response)`: what a send that is answered so, or by a handler, means."""
    platform = OnlyFansPlatform("http://platform.invalid", timeout=5)
    platform.http.close()

    def answer(what: Handler | httpx.Response) -> Answer:
        handler = what if callable(what) else lambda _: what
        with httpx.Client(transport=httpx.MockTransport(handler), follow_redirects=False) as http:
            sdk = OnlyFansAPI(api_key="k", base_url="http://platform.invalid", max_retries=0, http_client=http)
            platform.client, platform.by_key = sdk, {}
            return platform.send(Login("acct_a", "k"), LETTER)

    return answer


def _wrapped(status: object, body: object = "no") -> dict[str, Any]:
    return {
        "error": "ONLYFANS_COM_ERROR",
        "message": "OnlyFans refused",
        "onlyfans_response": {"status": status, "body": body},
    }


ROWS = [
    (401, {"error": "Unauthorized. Go to the console"}, Verdict.RECONNECT),
    (402, {"error": "PAYMENT_REQUIRED", "message": "Out of credits"}, Verdict.RECONNECT),
    (401, {"error": "SESSION_EXPIRED:NEEDS_REAUTHENTICATION"}, Verdict.RECONNECT),
    (400, {"error": "SESSION_EXPIRED:NEEDS_REAUTHENTICATION"}, Verdict.RECONNECT),
    (500, {"error": "SESSION_EXPIRED:NEEDS_REAUTHENTICATION"}, Verdict.RECONNECT),
    (429, {"error": "TOO_MANY_REQUESTS"}, Verdict.RATE_LIMITED),
    (503, {"error": "CF:ONLYFANS_COM_RATE_LIMIT_ERROR_v3"}, Verdict.RATE_LIMITED),
    (400, {"error": "CF:ONLYFANS_COM_RATE_LIMIT_ERROR_v3"}, Verdict.RATE_LIMITED),
    (400, {"error": "BAD_REQUEST", "message": "no"}, Verdict.REFUSED),
    (400, {"error": "IDEMPOTENCY_KEY_INVALID"}, Verdict.REFUSED),
    (403, {"error": "FORBIDDEN"}, Verdict.REFUSED),
    (404, {"message": "You must use the OFAPI ID (starting with acct_)"}, Verdict.REFUSED),
    (422, {"error": "VALIDATION_ERROR", "message": "x", "errors": {"price": ["too low"]}}, Verdict.REFUSED),
    (413, {}, Verdict.REFUSED),
    (409, {"error": "IDEMPOTENCY_CONFLICT"}, Verdict.STILL_RUNNING),
    (422, {"error": "IDEMPOTENCY_KEY_MISMATCH"}, Verdict.MISMATCH),
    (408, {}, Verdict.UNCLEAR),
    (500, {"message": "Server Error"}, Verdict.UNCLEAR),
    (502, {}, Verdict.UNCLEAR),
    (503, {}, Verdict.UNCLEAR),
    (520, {}, Verdict.UNCLEAR),
    (524, {}, Verdict.UNCLEAR),
    (302, {}, Verdict.UNCLEAR),
    (307, {}, Verdict.UNCLEAR),
    # OnlyFans' own status stands inside; one without sense doesn't count.
    (500, _wrapped(400), Verdict.REFUSED),
    (500, _wrapped(404), Verdict.REFUSED),
    (500, _wrapped(401), Verdict.RECONNECT),
    (500, _wrapped(429), Verdict.RATE_LIMITED),
    (400, _wrapped(500), Verdict.UNCLEAR),
    (400, _wrapped(302), Verdict.UNCLEAR),
    (500, _wrapped(200), Verdict.UNCLEAR),
    (400, _wrapped("500"), Verdict.REFUSED),
    (400, _wrapped(True), Verdict.REFUSED),
    (500, {"error": "ONLYFANS_COM_ERROR", "onlyfans_response": None}, Verdict.UNCLEAR),
    (500, {"error": "SOMETHING_ELSE", "onlyfans_response": {"status": 400}}, Verdict.UNCLEAR),
    # Bodies of another shape than an object.
    (400, ["no"], Verdict.REFUSED),
    (500, None, Verdict.UNCLEAR),
    (400, {"error": 7, "message": ["x"]}, Verdict.REFUSED),
    (400, {"error": {"code": "x"}}, Verdict.REFUSED),
]


INNER = (302, 400, 401, 403, 404, 429, 500, 502)


@pytest.mark.parametrize(("status", "body", "verdict"), ROWS)
def test_every_row_of_the_table(read: Read, status: int, body: object, verdict: Verdict) -> None:
    answer = read(httpx.Response(status, json=body, headers={"Location": "/api/whoami"}))
    # What OnlyFans itself answered counts, where the platform passes it on.
    inner = next((code for code in INNER if body == _wrapped(code)), None)
    assert (answer.verdict, answer.status_code, answer.message_id) == (verdict, inner or status, None)
    assert answer.reason
    assert (answer.wait > 0) == (verdict is Verdict.RATE_LIMITED)
    assert not answer.unreachable_fan


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(400, Verdict.REFUSED), (403, Verdict.REFUSED), (429, Verdict.RATE_LIMITED), (500, Verdict.UNCLEAR)]
    + [(status, Verdict.UNCLEAR) for status in (408, 502, 520, 524)],
)
def test_a_page_of_html_means_what_its_status_says(read: Read, status: int, verdict: Verdict) -> None:
    answer = read(httpx.Response(status, html=HTML))
    assert (answer.verdict, answer.reason, answer.code) == (verdict, f"The platform answered {status}", "")


@pytest.mark.parametrize(
    ("status", "body", "unreachable"),
    [
        (400, {"error": "X", "message": "Cannot send message to this user"}, True),
        (400, {"message": "CANNOT SEND MESSAGE TO THIS USER"}, True),
        (
            400,
            {"error": "ONLYFANS_COM_ERROR", "onlyfans_response": {"status": 400, "body": "Cannot send message"}},
            True,
        ),
        (500, _wrapped(400) | {"message": "Cannot send message to this user"}, True),
        (403, {"message": "Cannot send message to this user"}, False),
        (500, {"message": "Cannot send message to this user"}, False),
        (400, {"message": "Price is too low"}, False),
    ],
)
def test_a_fan_who_can_not_be_reached(read: Read, status: int, body: object, unreachable: bool) -> None:
    assert read(httpx.Response(status, json=body)).unreachable_fan is unreachable


@pytest.mark.parametrize(
    ("header", "body", "wait"),
    [
        (None, None, 30),
        ("0", None, 30),
        ("0", 30, 30),
        ("0", 45, 45),
        ("120", None, 120),
        ("120", 45, 120),
        ("45", 120, 120),
        ("45.5", "50.5", 50.5),
        ("-5", -5, 30),
        ("nan", "nan", 30),
        ("inf", 60, 60),
        ("1e400", None, 30),
        ("999999999", None, 86_400),
        ("soon", "later", 30),
        ("", [], 30),
        (None, True, 30),
        ("Sun, 01 Nov 2026 12:02:00 GMT", None, 120),
        ("Sun, 01 Nov 2026 14:02:00 +0200", None, 120),
        ("Sun, 01 Nov 2026 12:02:00 -0000", None, 120),
        ("Sun, 01 Nov 2026 11:00:00 GMT", None, 30),
        ("Sun, 01 Nov 2026 12:00:10 GMT", None, 30),
        ("Sun, 01 Nov 2026 12:02:00 GMT", 300, 300),
        ("Sun, 99 Nov 2026 12:02:00 GMT", None, 30),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None, 30),
    ],
)
def test_a_429_pauses_for_the_largest_of_header_body_and_30_s(
    read: Read, monkeypatch: pytest.MonkeyPatch, header: str | None, body: object, wait: float
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    headers = {} if header is None else {"Retry-After": header}
    answer = read(httpx.Response(429, json={"error": "RATE", "retry_after": body}, headers=headers))
    assert (answer.verdict, answer.wait) == (Verdict.RATE_LIMITED, wait)


@pytest.mark.parametrize("header", ["0", "120"])
def test_the_sdk_itself_never_tries_again(read: Read, header: str) -> None:
    requests: list[httpx.Request] = []

    def limited(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(429, headers={"Retry-After": header, "x-should-retry": "true"})

    assert read(limited).verdict is Verdict.RATE_LIMITED
    assert len(requests) == 1


@given(st.text())
def test_any_retry_after_gives_a_pause_that_ends(text: str) -> None:
    assert 30 <= answers._pause(httpx.Headers(), {"retry_after": text}) <= 86_400


@pytest.mark.parametrize(
    ("message_id", "kept"),
    [(1, "1"), (2**53, str(2**53)), ("77", "77"), ("abc-1", "abc-1"), ("x" * 64, "x" * 64)],
)
def test_a_2xx_with_the_messages_id_is_sent(read: Read, message_id: object, kept: str) -> None:
    for status in (200, 201):
        answer = read(httpx.Response(status, json={"data": {"id": message_id}}))
        assert answer == Answer(Verdict.SENT, status, message_id=kept)


def test_a_replayed_answer_is_sent_too(read: Read) -> None:
    answer = read(httpx.Response(200, json={"data": {"id": 5}}, headers={"Idempotent-Replayed": "true"}))
    assert (answer.verdict, answer.message_id) == (Verdict.SENT, "5")


@pytest.mark.parametrize("message_id", [None, True, False, 0, -1, 1.5, "", " ", "a b", "a\x00b", "ä", "x" * 65, [], {}])
def test_what_is_no_id_leaves_it_open(read: Read, message_id: object) -> None:
    assert read(httpx.Response(200, json={"data": {"id": message_id}})).verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    "response",
    [
        {"json": {"error": "SOMETHING", "message": "no"}},
        {"json": {"hasError": True}},
        {"json": {"success": False}},
        {"json": {"data": None}},
        {"json": {"data": {}}},
        {"json": {"data": [1]}},
        {"json": {"data": "7"}},
        {"json": [1]},
        {"json": None},
        {"json": {"id": 7}},
        {"html": HTML},
        {"content": b""},
        {"content": b'{"data": {"id"', "headers": {"Content-Type": "application/json"}},
        {"content": b"\xff\xfe\xfd", "headers": {"Content-Type": "application/json"}},
    ],
)
def test_a_200_that_names_no_message_leaves_it_open(read: Read, response: dict[str, Any]) -> None:
    answer = read(httpx.Response(200, **response))
    assert (answer.verdict, answer.message_id) == (Verdict.UNCLEAR, None)


@pytest.mark.parametrize(
    ("error", "verdict", "timed_out"),
    [
        (httpx.ConnectError, Verdict.UNREACHED, False),
        (httpx.ConnectTimeout, Verdict.UNREACHED, False),
        (httpx.PoolTimeout, Verdict.UNREACHED, False),
        (httpx.ReadTimeout, Verdict.UNCLEAR, True),
        (httpx.WriteTimeout, Verdict.UNCLEAR, True),
        (httpx.ReadError, Verdict.UNCLEAR, False),
        (httpx.WriteError, Verdict.UNCLEAR, False),
        (httpx.RemoteProtocolError, Verdict.UNCLEAR, False),
    ],
)
def test_no_answer_is_clear_only_when_there_was_no_connection(
    read: Read, error: type[httpx.TransportError], verdict: Verdict, timed_out: bool
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("gone", request=request)

    answer = read(fail)
    assert (answer.verdict, answer.timed_out, answer.status_code) == (verdict, timed_out, None)


def test_words_of_the_platform_reach_people_clean_and_short(read: Read) -> None:
    body = {"error": "BAD\x00CODE" + "x" * 200, "message": "<p>No\x00 &amp; never\ud800</p>" + "y" * 400}
    answer = read(httpx.Response(400, content=json.dumps(body), headers={"Content-Type": "application/json"}))
    assert answer.code == ("BADCODE" + "x" * 200)[:100]
    assert answer.reason == ("No & never" + "y" * 400)[:300]


def test_the_inner_answer_and_the_code_stand_in_for_a_missing_message(read: Read) -> None:
    without = {key: value for key, value in _wrapped(400, "Fan has left").items() if key != "message"}
    assert read(httpx.Response(400, json=without)).reason == "Fan has left"
    assert read(httpx.Response(400, json={"error": "ONLY_A_CODE"})).reason == "ONLY_A_CODE"
    assert read(httpx.Response(400, json={"message": "  "})).reason == "The platform answered 400"
