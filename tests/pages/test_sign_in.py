"""Signing in: who is let in, what everybody else is told, and where it leads."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts.models import LoginSession, User
from app.clock import now
from app.db import transaction
from app.extensions import db
from tests.pages.conftest import csrf_token, sign_in_with
from tests.support.apps import MakeApp
from tests.support.cast import Cast

ELSEWHERE = [
    "//evil.example",
    "////evil.example",
    "/%09/evil.example",
    "/%5Cevil.example",
    "https:evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "%0d%0aSet-Cookie:x=1",
    "/x%0d%0aSet-Cookie:x=1",
    "/%5Cevil.example",
    "%00",
    "%ff",
    "/" + "x" * 100_000 + "!",
]


def test_the_right_password_opens_the_inbox(client: FlaskClient, ada: User) -> None:
    answer = sign_in_with(client, "  ADA@example.com ")
    assert (answer.status_code, answer.location) == (302, "/")
    assert client.get("/").location == "/messages/onlyfans"


def test_an_operator_is_led_to_the_operations(client: FlaskClient, olga: User) -> None:
    sign_in_with(client, olga.email)
    assert client.get("/").location == "/operations"


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong-password"), ("nobody@example.com", "demo-password-1"), ("", ""), ("a\x00b", "x")],
)
def test_everybody_else_is_told_the_same(client: FlaskClient, ada: User, email: str, password: str) -> None:
    answer = sign_in_with(client, email, password)
    assert answer.status_code == 401
    assert "E-mail address or password is wrong" in answer.text


def test_a_disabled_user_is_told_the_same(client: FlaskClient, ada: User) -> None:
    with transaction():
        ada.disabled_at = now()
        db.session.add(ada)
    assert sign_in_with(client, ada.email).status_code == 401


def test_the_session_is_a_new_one_at_each_sign_in(client: FlaskClient, ada: User) -> None:
    sign_in_with(client, ada.email)
    first = client.get_cookie("huntaze")
    form = {"csrf_token": csrf_token(client, "/messages/onlyfans"), "email": ada.email, "password": "demo-password-1"}
    assert client.post("/login", data=form).status_code == 302
    second = client.get_cookie("huntaze")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    assert len(db.session.scalars(select(LoginSession)).all()) == 1
    client.set_cookie("huntaze", first.value)
    assert client.get("/messages/onlyfans").status_code == 302


def test_the_cookie_holds_no_way_back_to_the_database(client: FlaskClient, ada: User) -> None:
    sign_in_with(client, ada.email)
    row = db.session.scalars(select(LoginSession)).one()
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert len(token) >= 40
    assert row.token_hash not in (token, "")


def test_a_sign_in_without_its_token_is_refused(client: FlaskClient, ada: User) -> None:
    answer = client.post("/login", data={"email": ada.email, "password": "demo-password-1"})
    assert answer.status_code == 400
    assert db.session.scalars(select(LoginSession)).all() == []


def test_it_leads_back_to_the_page_that_was_wanted(client: FlaskClient, ada: User) -> None:
    wanted = client.get("/messages/onlyfans/7?filter=unread").location
    assert wanted == "/login?next=/messages/onlyfans/7?filter%3Dunread"
    answer = sign_in_with(client, ada.email, following=wanted.removeprefix("/login"))
    assert answer.location == "/messages/onlyfans/7?filter=unread"


def test_it_leads_nowhere_else(client: FlaskClient, ada: User) -> None:
    for wanted in ELSEWHERE:
        form = {"csrf_token": csrf_token(client), "email": ada.email, "password": "demo-password-1"}
        answer = client.post(f"/login?next={wanted}", data=form)
        assert (answer.status_code, answer.location) == (302, "/"), wanted
        client.delete_cookie("huntaze")


def test_ten_bad_tries_are_enough(client: FlaskClient, ada: User) -> None:
    statuses = [sign_in_with(client, ada.email, "wrong-password").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = sign_in_with(client, ada.email)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert "attempts" in answer.text


def test_good_sign_ins_are_not_counted(make_client: Callable[[], FlaskClient], ada: User) -> None:
    assert {sign_in_with(make_client(), ada.email).status_code for _ in range(12)} == {302}


def test_a_forged_address_helps_nobody(client: FlaskClient, ada: User) -> None:
    token = csrf_token(client)
    form = {"csrf_token": token, "email": "x@example.com", "password": "wrong"}
    statuses = [
        client.post("/login", data=form, headers={"X-Forwarded-For": f"10.0.0.{turn}"}).status_code
        for turn in range(11)
    ]
    assert statuses[-1] == 429


def test_one_address_may_not_try_many_people(client: FlaskClient, ada: User) -> None:
    statuses = [sign_in_with(client, f"user{turn}@example.com", "wrong").status_code for turn in range(11)]
    assert statuses[-1] == 429


def test_many_addresses_may_not_try_one_person(client: FlaskClient, ada: User) -> None:
    token = csrf_token(client)
    form = {"csrf_token": token, "email": ada.email, "password": "wrong"}
    statuses = [
        client.post("/login", data=form, environ_overrides={"REMOTE_ADDR": f"10.0.0.{turn}"}).status_code
        for turn in range(11)
    ]
    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_the_limit_holds_without_redis(make_app: MakeApp, cast: Cast, url: str) -> None:
    app: Flask = make_app(REDIS_URL=url)
    client = app.test_client()
    statuses = [sign_in_with(client, "ada@example.com", "wrong").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_load_tests_do_not_lift_it(make_app: MakeApp, cast: Cast) -> None:
    client = make_app(API_RATE_LIMITS="off").test_client()
    assert [sign_in_with(client, "ada@example.com", "wrong").status_code for _ in range(11)][-1] == 429
