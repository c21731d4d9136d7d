"""The same request, sent again: one message, the same answer, however many arrive at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.idempotency import IdempotencyKey
from app.messages.models import Message
from tests.api.conftest import SEND, Caller, SignIn
from tests.support.apps import MakeApp
from tests.support.cast import Cast

KEY = {"Idempotency-Key": "order 66: a key~"}
BODY: dict[str, Any] = {"recipientId": "1001", "content": "Hello!"}


def messages() -> int:
    """How many there are."""
    return db.session.execute(select(func.count()).select_from(Message)).scalar_one()


def test_the_same_key_and_body_make_one_message(as_ada: Caller) -> None:
    first, again = (as_ada.post(SEND, BODY, headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["messageId"] == again.json["messageId"]
    assert messages() == 1


def test_what_counts_is_what_a_body_says_not_how_it_is_spelt(as_ada: Caller) -> None:
    first = as_ada.post(SEND, BODY, headers=KEY)
    spelt = b'{ "content": "Hel\\u006co!", "recipientId": "1001", "priceCents": 0.0 }'
    again = as_ada("POST", SEND, data=spelt, content_type="application/json", headers=KEY)
    assert again.json["messageId"] == first.json["messageId"]


def test_the_same_key_with_another_body_is_refused(as_ada: Caller, cast: Cast) -> None:
    as_ada.post(SEND, BODY, headers=KEY)
    others = [(SEND, BODY | {"content": "Another"}), (f"{SEND}?accountId={cast.account.id}", BODY)]
    for path, body in others:
        response = as_ada.post(path, body, headers=KEY)
        assert response.status_code == 422
        assert response.json["error"] == "This Idempotency-Key was used before with another body"
    assert messages() == 1


def test_a_key_is_its_users_own(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    one = as_ada.post(SEND, BODY, headers=KEY)
    other = call_as(cast.eve).post(SEND, BODY, headers=KEY)
    assert one.json["messageId"] != other.json["messageId"]


def test_a_scheduled_message_sent_again_after_its_time_meets_the_first(as_ada: Caller) -> None:
    start = datetime.now(UTC)
    body = BODY | {"scheduledAt": (start + timedelta(minutes=1)).isoformat()}
    first = as_ada.post(SEND, body, headers=KEY)
    with time_machine.travel(start + timedelta(minutes=2)):
        again = as_ada.post(SEND, body, headers=KEY)
        assert (again.status_code, again.json["messageId"]) == (202, first.json["messageId"])
        assert as_ada.post(SEND, body, headers={"Idempotency-Key": "another"}).status_code == 400


def test_only_successes_are_kept(as_ada: Caller, cast: Cast) -> None:
    assert as_ada.post(SEND, BODY | {"accountId": cast.eves_account.id}, headers=KEY).status_code == 404
    assert as_ada.post(SEND, {}, headers=KEY).status_code == 400
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    assert as_ada.post(SEND, BODY, headers=KEY).status_code == 202


def test_without_a_key_every_request_counts(as_ada: Caller) -> None:
    as_ada.post(SEND, BODY)
    as_ada.post(SEND, BODY)
    assert messages() == 2


def test_a_key_is_printable_ascii(as_ada: Caller) -> None:
    for key in ("", "x" * 256, "tab\there", "ü", "\x7f", b"\xff\xfe".decode("latin-1")):
        response = as_ada.post(SEND, BODY, headers={"Idempotency-Key": key})
        assert response.status_code == 400, key
        assert response.json["details"][0]["field"] == "Idempotency-Key"
    assert as_ada.post(SEND, BODY, headers={"Idempotency-Key": "x" * 255}).status_code == 202


def test_two_hundred_equal_requests_at_once_make_one_message(
    any_database: str, make_app: MakeApp, as_ada: Caller, app: Flask
) -> None:
    busy = make_app(API_RATE_LIMITS="off")
    headers = as_ada.headers | KEY

    def post(_: int) -> tuple[int, str]:
        response = Caller(busy.test_client()).post(SEND, BODY, headers=headers)
        return response.status_code, response.json["messageId"]

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(post, range(200)))
    assert len(answers) == 1
    assert answers.pop()[0] == 202
    assert messages() == 1
