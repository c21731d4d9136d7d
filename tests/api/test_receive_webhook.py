"""The platform's events come in signed, are written down once, and wait for a background worker."""

import hashlib
import hmac
import json
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from rq.serializers import JSONSerializer
from sqlalchemy import select

from app import jobs
from app.api.reading import LARGEST_BODY
from app.extensions import db
from app.inbound import service
from app.inbound.models import WebhookEvent
from config import Settings
from tests.inbound.told import ACCOUNT, message, state, work_off
from tests.support.apps import PRODUCTION, MakeApp
from tests.support.cast import Cast

PATH = "/api/onlyfans/webhooks"
SECRET, BEFORE = "the-platform-signs-with-this", "and-with-this-before"


def body(number: int = 1) -> bytes:
    """An event as it comes over the wire."""
    told = {"event": "messages.received", "account_id": ACCOUNT, "payload": message(number, 1001, 5)}
    return json.dumps(told).encode()


def post(client: FlaskClient, raw: bytes, secret: str | None = None, **headers: str) -> Any:
    """Deliver `raw`, signed when there is a secret."""
    if secret is not None:
        headers["Signature"] = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return client.post(PATH, data=raw, headers=headers, content_type="application/json")


@pytest.fixture
def signed(make_app: MakeApp, cast: Cast) -> FlaskClient:
    """A client of an app that knows two secrets."""
    return make_app(WEBHOOK_SECRET=SECRET, WEBHOOK_PREVIOUS_SECRET=BEFORE).test_client()


def kept() -> list[WebhookEvent]:
    """The journal."""
    return list(db.session.scalars(select(WebhookEvent).order_by(WebhookEvent.id)))


@pytest.mark.parametrize("secret", [SECRET, BEFORE])
def test_either_secret_is_good_while_they_change(signed: FlaskClient, secret: str) -> None:
    response = post(signed, body(), secret)
    assert (response.status_code, response.json) == (200, {"success": True})
    assert [event.event for event in kept()] == ["messages.received"]


@pytest.mark.parametrize("signature", [None, "", "0" * 64, "é", "sha256=abc"])
def test_without_a_good_signature_nothing_is_kept(signed: FlaskClient, signature: str | None) -> None:
    headers = {} if signature is None else {"Signature": signature}
    response = signed.post(PATH, data=body(), headers=headers, content_type="application/json")
    assert (response.status_code, response.json["error"]) == (401, "The signature is missing or wrong")
    assert kept() == []


def test_a_signature_is_good_for_its_very_bytes(signed: FlaskClient) -> None:
    signature = hmac.new(SECRET.encode(), body(), hashlib.sha256).hexdigest()
    response = signed.post(PATH, data=body() + b" ", headers={"Signature": signature}, content_type="application/json")
    assert response.status_code == 401


def test_development_takes_unsigned_events_and_production_never_does(
    client: FlaskClient, make_app: MakeApp, settings: Settings, cast: Cast
) -> None:
    assert post(client, body()).status_code == 200
    assert post(make_app(**PRODUCTION).test_client(), body()).status_code == 401


def test_what_was_told_before_is_taken_and_not_kept_twice(client: FlaskClient, cast: Cast) -> None:
    key = {"X-OFAPI-Idempotency-Key": "evt_" + "a" * 40}
    assert [post(client, body(), **key).status_code for _ in range(3)] == [200] * 3
    post(client, body(2))
    post(client, body(3), **{"X-OFAPI-Idempotency-Key": "no key at all"})
    assert [event.key for event in kept()] == [key["X-OFAPI-Idempotency-Key"], None, None]


def test_the_answer_does_not_wait_for_the_work(client: FlaskClient, cast: Cast, settings: Settings) -> None:
    for number in range(3):
        post(client, body(number))
    assert [event.done_at for event in kept()] == [None] * 3
    connection = jobs.connect(settings.redis_url)
    asked_for = jobs.queue(jobs.INBOUND, connection).jobs
    assert [job.func_name for job in asked_for] == [service.WORK_OFF]
    assert asked_for[0].serializer is JSONSerializer
    work_off()
    assert {event.outcome for event in kept()} == {"done"}


def test_the_job_takes_all_and_lets_the_next_be_asked_for(client: FlaskClient, cast: Cast, settings: Settings) -> None:
    post(client, body(1))
    service.work_off()
    post(client, body(2))
    assert len(jobs.queue(jobs.INBOUND, jobs.connect(settings.redis_url)).jobs) == 2


def test_without_redis_it_is_kept_all_the_same_and_found_by_the_tick(make_app: MakeApp, cast: Cast) -> None:
    client = make_app(REDIS_URL="redis://127.0.0.1:9").test_client()
    assert post(client, body()).status_code == 200
    assert len(kept()) == 1


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"event": 5}', 400),
        (b'{"payload": {}}', 400),
        (b"\xff\xfe", 400),
        (b'{"event": "test-event", "payload": "' + b"x" * LARGEST_BODY + b'"}', 413),
        (b'{"event": "x", "payload": "\\u0000"}', 200),
        (b'{"event": "x", "payload": "\\ud800"}', 400),
        (b'{"event": "x", "account_id": "acct_a", "payload": null, "more": 1}', 200),
    ],
)
def test_whatever_comes_gets_its_answer(client: FlaskClient, raw: bytes, status: int) -> None:
    assert post(client, raw).status_code == status
    work_off()


def test_a_flood_doubled_shuffled_and_partly_forged_ends_like_the_story(signed: FlaskClient, cast: Cast) -> None:
    random = Random(7)
    story = [
        {
            "event": "messages.received",
            "account_id": ACCOUNT,
            "payload": message(n, random.choice([1001, 1002, 7001]), n),
        }
        for n in range(60)
    ]
    deliveries = [(f"evt_{n}", json.dumps(event).encode(), SECRET) for n, event in enumerate(story)]
    deliveries += random.choices(deliveries, k=40)
    forged = json.dumps(
        {"event": "messages.received", "account_id": ACCOUNT, "payload": message(999, 1001, 9)}
    ).encode()
    deliveries += [(f"evt_forged_{n}", forged, "guessed") for n in range(5)]
    random.shuffle(deliveries)
    answers = [
        post(signed, raw, secret, **{"X-OFAPI-Idempotency-Key": key}).status_code for key, raw, secret in deliveries
    ]
    assert (answers.count(200), answers.count(401)) == (100, 5)
    work_off()
    found = state(cast.account)
    assert set(found["messages"]) == {str(event["payload"]["id"]) for event in story}  # type: ignore[index]
    assert sum(unread for *_, unread in found["threads"].values()) == 60
    last = {str(event["payload"]["fromUser"]["id"]): event["payload"] for event in story}  # type: ignore[index]
    for fan, newest in last.items():
        assert found["threads"][fan][0] == newest["text"].removeprefix("<p>").removesuffix("</p>")
