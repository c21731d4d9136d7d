"""Signing in with a second factor: the password alone opens nothing, and neither does guessing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts import second_factor, service
from app.accounts.models import LoginSession, User
from app.extensions import db
from tests.pages.conftest import csrf_token, sign_in_with

INBOX = "/messages/onlyfans"


@pytest.fixture
def totp(app: Flask, ada: User) -> pyotp.TOTP:
    """Ada's app; its code of a minute ago is used up."""
    key = app.extensions["settings"].encryption_key
    made = pyotp.TOTP(second_factor.begin(ada, key))
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=1), tick=False):
        second_factor.confirm(ada, made.now(), key)
    return made


def give(client: FlaskClient, code: str, following: str = "") -> TestResponse:
    """What the form of the second step does."""
    data = {"csrf_token": csrf_token(client, "/login/code"), "code": code}
    return client.post(f"/login/code{following}", data=data)


def test_both_steps_open_the_page_that_was_wanted(client: FlaskClient, ada: User, totp: pyotp.TOTP) -> None:
    answer = sign_in_with(client, ada.email, following=f"?next={INBOX}")
    assert answer.location == f"/login/code?next={INBOX}"
    assert client.get(INBOX).status_code == 302
    assert db.session.scalars(select(LoginSession)).all() == []
    assert give(client, totp.now(), f"?next={INBOX}").location == INBOX
    assert client.get(INBOX).status_code == 200


def test_a_code_lets_one_browser_in(make_client: Callable[[], FlaskClient], ada: User, totp: pyotp.TOTP) -> None:
    one, other = make_client(), make_client()
    code = totp.now()
    for client in (one, other):
        sign_in_with(client, ada.email)
    assert (give(one, code).status_code, give(other, code).status_code) == (302, 401)
    assert other.get(INBOX).status_code == 302


def test_the_second_step_is_nothing_without_the_first(client: FlaskClient, ada: User, totp: pyotp.TOTP) -> None:
    assert client.get("/login/code").location == "/login"
    data = {"csrf_token": csrf_token(client), "code": totp.now()}
    assert client.post("/login/code", data=data).location == "/login"
    sign_in_with(client, ada.email, "wrong-password")
    assert client.get("/login/code").location == "/login"


def test_the_first_step_is_forgotten(client: FlaskClient, ada: User, totp: pyotp.TOTP) -> None:
    sign_in_with(client, ada.email)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert client.get("/login/code").location == "/login"
    sign_in_with(client, ada.email)
    service.change_password(ada, "another-password-2")
    assert client.get("/login/code").location == "/login"


def test_ten_guesses_are_enough(make_client: Callable[[], FlaskClient], ada: User, totp: pyotp.TOTP) -> None:
    client = make_client()
    sign_in_with(client, ada.email)
    wrong = f"{(int(totp.now()) + 5) % 1_000_000:06}"
    assert [give(client, wrong).status_code for _ in range(11)] == [401] * 10 + [429]
    assert give(client, totp.now()).status_code == 429
    assert sign_in_with(make_client(), ada.email).status_code == 429, "the doors count together"


@pytest.mark.parametrize("code", ["", "x" * 5000, "\x00", "１２３４５６"])
def test_nonsense_is_refused(client: FlaskClient, ada: User, totp: pyotp.TOTP, code: str) -> None:
    sign_in_with(client, ada.email)
    assert give(client, code).status_code == 401
