"""A program asks whether the deployment can send, and how sending stands."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from app.delivery import heartbeat
from app.extensions import db
from app.messages import service
from app.messages.models import Message, Status
from app.messages.rules import Draft
from tests.api.conftest import SEND, STATUS, Caller, SignIn, moment
from tests.support.apps import MakeApp
from tests.support.cast import Cast


def message(cast: Cast, **columns: object) -> Message:
    """A message of Ada's in some state."""
    made = service.send_to_recipient(cast.ada, cast.account.id, "1001", Draft(text="Hello"))
    for name, value in columns.items():
        setattr(made, name, value)
    db.session.commit()
    return made


def test_anybody_may_ask_whether_the_deployment_can_send(nobody: Caller) -> None:
    response = nobody.get(SEND)
    assert response.status_code == 200
    assert response.json == {"success": True, "configured": True, "enabled": True, "active": False}


def test_what_is_missing_or_stopped_is_said(make_app: MakeApp, aws: object) -> None:
    off = Caller(make_app(RATE_LIMITER_ENABLED="off").test_client()).get(SEND).json
    assert (off["configured"], off["enabled"], off["active"]) == (True, False, False)
    keyless = Caller(make_app(ONLYFANSAPI_API_KEY="").test_client()).get(SEND).json
    assert (keyless["configured"], keyless["enabled"], keyless["active"]) == (False, True, False)


def test_a_living_worker_makes_it_active(nobody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "alive", lambda _kind: 1)
    assert nobody.get(SEND).json["active"] is True


def test_the_status_has_the_promised_shape(as_ada: Caller, app: Flask) -> None:
    answer = as_ada.get(STATUS).json
    settings = app.extensions["settings"]
    assert list(answer) == ["success", "timestamp", "configuration", "queue", "rateLimit"]
    assert abs(moment(answer["timestamp"]) - datetime.now(UTC)) < timedelta(seconds=30)
    assert answer["configuration"] == {
        "configured": True,
        "enabled": True,
        "active": False,
        "queueUrl": settings.sqs_queue_url,
        "region": settings.aws_region,
    }
    assert answer["queue"] == {
        "healthy": True,
        "messagesQueued": 0,
        "messagesProcessing": 0,
        "messagesFailed": 0,
        "averageLatency": None,
        "deadLetterCount": 0,
        "lastProcessedAt": None,
    }
    assert answer["rateLimit"] == {"limit": 10, "windowSeconds": 60, "remaining": 10, "resetAt": None}


def test_the_counts_are_those_of_the_callers_accounts(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    sent_at = datetime.now(UTC).replace(microsecond=0)
    message(cast)
    message(cast, status=Status.SENDING)
    message(cast, status=Status.SENT, queued_at=sent_at - timedelta(milliseconds=1500), sent_at=sent_at)
    retried = message(cast, status=Status.FAILED, failed_at=sent_at)
    message(cast, status=Status.FAILED, failed_at=sent_at)
    service.retry(cast.ada, retried.id)
    queue = as_ada.get(STATUS).json["queue"]
    assert (queue["messagesQueued"], queue["messagesProcessing"]) == (2, 1)
    assert (queue["messagesFailed"], queue["deadLetterCount"]) == (2, 1)
    assert queue["averageLatency"] == 1500
    assert moment(queue["lastProcessedAt"]) == sent_at
    assert call_as(cast.max).get(STATUS).json["queue"] == queue
    others = call_as(cast.eve).get(STATUS).json["queue"]
    assert {others[name] for name in others if name.startswith("messages")} == {0}


def test_who_has_several_accounts_names_one_for_its_limit(call_as: SignIn, cast: Cast) -> None:
    max_ = call_as(cast.max)
    assert max_.get(STATUS).json["rateLimit"] == {"limit": 10, "windowSeconds": 60, "remaining": None, "resetAt": None}
    assert max_.get(f"{STATUS}?accountId={cast.account.id}").json["rateLimit"]["remaining"] == 10
    theirs = max_.get(f"{STATUS}?accountId={cast.eves_account.id}")
    never = max_.get(f"{STATUS}?accountId={10**9}")
    assert (theirs.status_code, theirs.data) == (404, never.data)


def test_a_queue_that_is_away_is_said(make_app: MakeApp, as_ada: Caller) -> None:
    away = make_app(SQS_RATE_LIMITER_QUEUE="http://127.0.0.1:9/1/q", SQS_RATE_LIMITER_DLQ="http://127.0.0.1:9/1/d")
    answer = Caller(away.test_client()).get(STATUS, headers=as_ada.headers)
    assert answer.status_code == 200
    assert answer.json["queue"]["healthy"] is False


def test_a_message_is_accepted_while_the_queue_is_away(make_app: MakeApp, as_ada: Caller) -> None:
    away = make_app(SQS_RATE_LIMITER_QUEUE="http://127.0.0.1:9/1/q", SQS_RATE_LIMITER_DLQ="http://127.0.0.1:9/1/d")
    answer = Caller(away.test_client()).send(headers=as_ada.headers)
    assert answer.status_code == 202
    assert (answer.json["status"], answer.json["sqsMessageId"]) == ("queued", None)
