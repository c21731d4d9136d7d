"""Whatever goes wrong under /api/, it is told in one shape, and nothing that comes in makes a 500."""

from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.accounts import queries as accounts
from app.extensions import db
from tests.api.conftest import SEND, STATUS, Caller

JSON = "application/json"
# What a server says of a body that comes without its length.
CHUNKED: dict[str, Any] = {"environ_overrides": {"wsgi.input_terminated": True}}


def refused(response: object, status: int) -> str:
    """The words of a refusal in the one shape."""
    assert response.status_code == status, response.data  # type: ignore[attr-defined]
    answer = response.json  # type: ignore[attr-defined]
    assert answer.keys() == {"success", "error", "details"}
    assert answer["success"] is False
    assert response.headers["Cache-Control"] == "no-store"  # type: ignore[attr-defined]
    words: str = answer["error"]
    return words


def test_an_unknown_path(nobody: Caller) -> None:
    for path in ("/api/nothing", "/api/", "/api/onlyfans/messages/send/", "/api/%ff%fe", "/api/%00", "/api/a%0d%0ab"):
        assert refused(nobody.get(path), 404) == "Not found"


def test_a_wrong_method_says_which_are_allowed(nobody: Caller) -> None:
    for method in ("PUT", "PATCH", "DELETE", "TRACE"):
        response = nobody(method, SEND)
        refused(response, 405)
        assert {"GET", "POST"} <= set(response.headers["Allow"].replace(" ", "").split(","))


def test_a_body_that_is_too_large(as_ada: Caller) -> None:
    body = b'{"content": "' + b"x" * 1024 * 1024 + b'"}'
    refused(as_ada("POST", SEND, data=body, content_type=JSON), 413)
    refused(as_ada("POST", SEND, input_stream=BytesIO(body), content_type=JSON, **CHUNKED), 413)
    fits = body[: 1024 * 1024 - 2] + b'"}'
    assert b"Content must be at most" in as_ada("POST", SEND, data=fits, content_type=JSON).data


def test_a_body_that_is_no_json(as_ada: Caller) -> None:
    for kind in ("text/plain", "multipart/form-data", "application/xml", "", f"{JSON}; charset=utf-16", "\xff"):
        refused(as_ada("POST", SEND, data=b"{}", content_type=kind), 415)
    refused(as_ada("POST", SEND), 400)


def test_broken_json_is_refused(as_ada: Caller) -> None:
    for body in (
        b"{",
        b"\xff\xfe",
        b'{"content": "\xff"}',
        b'{"content": "\\ud800"}',
        b'{"content": "\\ud800\\u0000"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"content": ' + b"9" * 5_000 + b"}",
        b'{"content": 1e999999}',
        b'{"content": NaN}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
    ):
        response = as_ada("POST", SEND, data=body, content_type=JSON)
        assert refused(response, 400) == "Validation failed", body[:20]


def test_a_name_given_twice_is_refused(as_ada: Caller) -> None:
    body = b'{"recipientId": "1001", "content": "one", "content": "two"}'
    response = as_ada("POST", SEND, data=body, content_type=JSON)
    refused(response, 400)
    assert response.json["details"] == [{"field": "content", "message": "Content was given more than once"}]
    response = as_ada.get(f"{STATUS}?accountId=1&accountId=2")
    assert response.json["details"] == [{"field": "accountId", "message": "Account ID was given more than once"}]


def test_a_broken_query_is_refused(as_ada: Caller) -> None:
    for query in ("accountId=%ff", "%fe=1", "accountId=%00", "accountId=1.5", "accountId=-1", "accountId=%D9%A1"):
        refused(as_ada.get(f"{STATUS}?{query}"), 400)
    refused(as_ada.get(f"{STATUS}?accountId={'9' * 10_000}"), 400)


def test_a_fault_of_ours_has_an_id_and_no_trace(app: Flask, as_ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    app.testing = False

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(accounts, "visible", broken)
    response = as_ada.get(STATUS)
    assert response.headers["X-Request-Id"] in refused(response, 500)
    assert b"secret" not in response.data
    assert b"Traceback" not in response.data


def test_a_database_that_is_away_is_told(app: Flask, as_ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(db.session, "scalar", away)
    assert refused(as_ada.get(STATUS), 503) == "The database can't be reached"
