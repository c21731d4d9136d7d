"""A program sends a message: accepted, kept, and refused with every fault at once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts import tokens
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Priority
from embedded.aws import AwsEndpoint
from tests.api.conftest import SEND, Caller, SignIn, moment
from tests.support.apps import MakeApp
from tests.support.cast import Cast
from tests.support.queries import count_queries

IMAGE = "https://cdn.example.com/image.jpg"
GOOD: dict[str, Any] = {"recipientId": "1001", "content": "Hello!"}
LATER = "2099-01-01T12:00:00Z"


@pytest.fixture
def unlimited(make_app: MakeApp, aws: AwsEndpoint, cast: Cast, keys: tokens.Keys) -> Caller:
    """Ada's program at an app without limits per user."""
    app = make_app(API_RATE_LIMITS="off")
    return Caller(app.test_client(), tokens.issue(cast.ada, keys).access_token)


def faults(caller: Caller, body: object, path: str = SEND) -> list[tuple[str, str]]:
    """The details of a refusal with 400, as (field, message)."""
    response = caller.post(path, body)
    assert response.status_code == 400, response.json
    assert response.json["success"] is False
    assert response.json["error"] == "Validation failed"
    assert db.session.scalar(select(func.count()).select_from(Message)) == 0
    return [(one["field"], one["message"]) for one in response.json["details"]]


def test_a_message_is_accepted_in_the_shape_that_was_promised(as_ada: Caller) -> None:
    response = as_ada.post(SEND, GOOD | {"mediaUrls": [IMAGE], "priority": "normal"})
    assert response.status_code == 202
    assert response.headers["Cache-Control"] == "no-store"
    answer = response.json
    assert list(answer) == ["success", "messageId", "status", "queuedAt", "estimatedDelivery", "sqsMessageId"]
    assert answer["success"] is True
    assert re.fullmatch("msg_[0-9a-f]{32}", answer["messageId"])
    assert answer["status"] == "queued"
    assert abs(moment(answer["queuedAt"]) - datetime.now(UTC)) < timedelta(seconds=30)
    assert answer["sqsMessageId"]
    message = db.session.scalars(select(Message)).one()
    assert (message.public_id, message.text, message.priority) == (answer["messageId"], "Hello!", Priority.NORMAL)
    assert message.attachments == [{"type": "image", "url": IMAGE}]


@pytest.mark.usefixtures("cast")
def test_sending_takes_few_statements(as_ada: Caller) -> None:
    with count_queries() as statements:
        assert as_ada.post(SEND, GOOD).status_code == 202
    assert len(statements) <= 8, statements


def test_what_is_left_out_has_its_usual_value(as_ada: Caller, cast: Cast) -> None:
    assert as_ada.post(SEND, GOOD).status_code == 202
    message = db.session.scalars(select(Message)).one()
    assert (message.priority, message.price_cents, message.attachments) == (Priority.HIGH, 0, [])
    assert (message.account_id, message.fan_id, message.author_id) == (cast.account.id, cast.fans[0].id, cast.ada.id)


def test_a_recipient_whom_nobody_knows_becomes_a_fan(as_ada: Caller, cast: Cast) -> None:
    assert as_ada.send("user_123").status_code == 202
    assert db.session.scalars(select(Fan).where(Fan.platform_id == "user_123")).one().account_id == cast.account.id


def test_a_message_for_later_is_scheduled(as_ada: Caller) -> None:
    answer = as_ada.send(scheduledAt="2099-01-01T13:00:00+01:00").json
    assert (answer["status"], answer["queuedAt"], answer["sqsMessageId"]) == ("scheduled", None, None)
    assert db.session.scalars(select(Message)).one().due_at == moment(LATER)


def test_what_is_just_inside_the_rules_is_accepted(as_ada: Caller) -> None:
    for extra in (
        {"priceCents": 0},
        {"priceCents": 300.0, "mediaUrls": [IMAGE]},
        {"priceCents": 20000, "mediaUrls": [IMAGE] * 10},
        {"scheduledAt": None, "accountId": None},
        {"content": "x" * 5000},
        {"content": "two\nlines, a\ttab and an 🦄"},
        {"recipientId": "a" * 64},
    ):
        assert as_ada.post(SEND, GOOD | extra).status_code == 202, extra


TIME = "Scheduled at must be a time such as 2026-11-01T12:00:00Z"
PRICE = "Price must be 0 or 300 to 20000 cents"
RECIPIENT = "Recipient ID must be 1 to 64 letters, digits, _ or -"
HTTPS = "Media URLs must begin with https://"
HOST = "Media URLs must name a public host"
WRONG: dict[str, list[tuple[Any, str]]] = {
    "recipientId": [
        ("", "Recipient ID is required"),
        (None, "Recipient ID is required"),
        (5, "Recipient ID must be text"),
        (["1001"], "Recipient ID must be text"),
        ("a b", RECIPIENT),
        ("a" * 65, RECIPIENT),
        ("1001\n", RECIPIENT),
        ("١", RECIPIENT),
        ("../..", RECIPIENT),
    ],
    "content": [
        ("", "Content is required"),
        (None, "Content is required"),
        (" \n\t ", "Content is required"),
        (True, "Content must be text"),
        ({}, "Content must be text"),
        ("x" * 5001, "Content must be at most 5000 characters"),
        ("a\x00b", "Content must not hold control characters"),
    ],
    "mediaUrls": [
        (None, "Media URLs must be a list"),
        (IMAGE, "Media URLs must be a list"),
        ({"0": IMAGE}, "Media URLs must be a list"),
        ([IMAGE] * 11, "At most 10 media fit into one message"),
    ],
    "mediaUrls[0]": [
        ("http://cdn.example.com/x.jpg", HTTPS),
        ("ftp://cdn.example.com/x.jpg", HTTPS),
        ("javascript:alert(1)", HTTPS),
        ("https://localhost/x", HOST),
        ("https://127.0.0.1/x", HOST),
        ("https://[::1]/x", HOST),
        ("https://169.254.169.254/latest", HOST),
        ("https://2130706433/", HOST),
        ("https://redis.internal/", HOST),
        ("https://user:pw@cdn.example.com/", HOST),
        ("https://cdn.example.com:6379/", HOST),
        ("https://cdn.example.com/a b", "Media URLs must be plain and at most 2048 characters"),
        ("https://cdn.example.com/" + "x" * 2048, "Media URLs must be plain and at most 2048 characters"),
        ("", HTTPS),
        (7, "Media URLs must be text"),
        (None, "Media URLs is required"),
    ],
    "priority": [
        ("urgent", "Priority must be 'high', 'normal' or 'low'"),
        ("HIGH", "Priority must be 'high', 'normal' or 'low'"),
        (0, "Priority must be 'high', 'normal' or 'low'"),
        ("", "Priority must be 'high', 'normal' or 'low'"),
        (None, "Priority must be 'high', 'normal' or 'low'"),
    ],
    "priceCents": [
        (-1, PRICE),
        (299, PRICE),
        (20001, PRICE),
        (10**40, PRICE),
        (500, "A price needs media"),
        ("500", "Price cents must be a whole number"),
        (5.5, "Price cents must be a whole number"),
        (True, "Price cents must be a whole number"),
        (None, "Price cents must be a whole number"),
        ([], "Price cents must be a whole number"),
    ],
    "scheduledAt": [
        ("2020-01-01T00:00:00Z", "Scheduled at must be in the future"),
        ("2099-01-01T00:00:00", "Scheduled at must name its time zone, as in 2026-11-01T12:00:00Z"),
        ("2099-13-01T00:00:00Z", TIME),
        ("2099-01-01", TIME),
        ("tomorrow", TIME),
        ("4102444800", TIME),
        (4102444800, TIME),
        ("9999-12-31T23:59:59-23:59", TIME),
        (True, TIME),
    ],
    "accountId": [
        (0, "Account ID must be at least 1"),
        (-5, "Account ID must be at least 1"),
        (10**18, "Account ID must be at most 999999999999999999"),
        (10**400, "Account ID must be at most 999999999999999999"),
        ("1", "Account ID must be a whole number"),
        (1.5, "Account ID must be a whole number"),
    ],
}


def test_each_field_wrong_in_every_way_is_refused_by_name(unlimited: Caller) -> None:
    for field, cases in WRONG.items():
        name, _, index = field.partition("[")
        for value, message in cases:
            found = faults(unlimited, GOOD | {name: [value] if index else value})
            assert found == [(field, message)], (field, value)


def test_all_faults_are_told_at_once_those_across_fields_included(as_ada: Caller) -> None:
    body = {
        "content": " ",
        "mediaUrls": [],
        "priceCents": 500,
        "priority": "urgent",
        "scheduledAt": "2020-01-01T00:00:00Z",
        "accountId": "1",
        "recipient_id": "1001",
        "colour": "red",
    }
    assert sorted(faults(as_ada, body)) == sorted(
        [
            ("recipientId", "Recipient ID is required"),
            ("content", "Content is required"),
            ("priceCents", "A price needs media"),
            ("priority", "Priority must be 'high', 'normal' or 'low'"),
            ("scheduledAt", "Scheduled at must be in the future"),
            ("accountId", "Account ID must be a whole number"),
            ("recipient_id", "There is no field 'recipient_id' here"),
            ("colour", "There is no field 'colour' here"),
        ]
    )


def test_too_many_media_and_wrong_ones_among_them_are_told_together(as_ada: Caller) -> None:
    media = [IMAGE] * 5 + ["http://x.example.com"] + [IMAGE] * 5 + [3]
    assert [field for field, _ in faults(as_ada, GOOD | {"mediaUrls": media})] == [
        "mediaUrls",
        "mediaUrls[5]",
        "mediaUrls[11]",
    ]


def test_faults_of_body_query_and_key_are_told_together(as_ada: Caller) -> None:
    response = as_ada.post(f"{SEND}?accountId=x&foo=1", {}, headers={"Idempotency-Key": ""})
    fields = [one["field"] for one in response.json["details"]]
    assert sorted(fields) == ["Idempotency-Key", "accountId", "content", "foo", "recipientId"]


def test_a_body_that_is_no_object_is_refused(as_ada: Caller) -> None:
    for body in (b"[]", b'"text"', b"5", b"null", b"true"):
        response = as_ada("POST", SEND, data=body, content_type="application/json")
        assert response.status_code == 400
        assert response.json["details"] == [{"field": "body", "message": "The body must be a JSON object"}]


def test_who_has_several_accounts_names_one(call_as: SignIn, cast: Cast) -> None:
    max_ = call_as(cast.max)
    assert faults(max_, GOOD) == [("accountId", "You have several accounts: name the one to act for")]
    both = faults(max_, GOOD | {"accountId": cast.account.id}, f"{SEND}?accountId={cast.beas_account.id}")
    assert both == [("accountId", "The query and the body name two different accounts")]
    assert max_.send(accountId=cast.beas_account.id).status_code == 202
    assert max_.post(f"{SEND}?accountId={cast.account.id}", GOOD).status_code == 202
    accounts = set(db.session.scalars(select(Message.account_id)))
    assert accounts == {cast.account.id, cast.beas_account.id}


def test_somebody_elses_account_is_not_there(as_ada: Caller, cast: Cast) -> None:
    theirs = as_ada.send(accountId=cast.eves_account.id)
    never = as_ada.send(accountId=10**9)
    assert (theirs.status_code, theirs.data) == (404, never.data)
    assert theirs.json == {"success": False, "error": "Account not found", "details": []}
