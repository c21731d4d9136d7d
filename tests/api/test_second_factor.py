"""A second factor at the API: a password alone gives no tokens there either."""

from datetime import UTC, datetime, timedelta

import pyotp
import time_machine
from flask import Flask

from app.accounts import api_tokens, second_factor
from tests.api.conftest import STATUS, Caller
from tests.support.cast import PASSWORD, Cast

TOKEN = "/api/auth/token"


def test_tokens_need_the_code_too(nobody: Caller, app: Flask, cast: Cast) -> None:
    key = app.extensions["settings"].encryption_key
    totp = pyotp.TOTP(second_factor.begin(cast.ada, key))
    credentials = {"email": cast.ada.email, "password": PASSWORD}
    assert nobody.post(TOKEN, credentials).status_code == 200, "it isn't on yet"
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=1), tick=False):
        codes = second_factor.confirm(cast.ada, totp.now(), key)
    code = totp.now()
    wrong = f"{(int(code) + 5) % 1_000_000:06}"
    for body, status in (
        (credentials, 401),
        (credentials | {"code": wrong}, 401),
        (credentials | {"code": "1"}, 400),
        (credentials | {"code": 123456}, 400),
        (credentials | {"password": "wrong-password", "code": code}, 401),
        (credentials | {"code": code}, 200),
        (credentials | {"code": code}, 401),
        (credentials | {"code": codes[0]}, 200),
        (credentials | {"code": codes[0]}, 401),
    ):
        assert nobody.post(TOKEN, body).status_code == status, body


def test_a_code_is_asked_of_nobody_else(nobody: Caller, cast: Cast) -> None:
    body = {"email": cast.eve.email, "password": PASSWORD, "code": "123456"}
    assert nobody.post(TOKEN, body).status_code == 200


def test_a_personal_token_is_its_user(nobody: Caller, cast: Cast) -> None:
    caller = Caller(nobody.client, api_tokens.create(cast.ada, "Poller"))
    assert caller.get(STATUS).status_code == 200
    assert caller.send().status_code == 202
    assert caller.get(f"/api/crm/conversations?accountId={cast.eves_account.id}").status_code == 404
    assert caller.get("/messages/onlyfans").status_code == 302, "pages have sessions"
    broken = Caller(nobody.client, "hz_nobody-has-this")
    assert broken.get(STATUS).status_code == 401
