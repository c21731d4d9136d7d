"""A program signs in, renews its tokens, signs out; what is no good access token is refused everywhere."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import service, tokens
from app.accounts.models import User
from app.extensions import db
from tests.api.conftest import SEND, STATUS, Caller
from tests.support.cast import PASSWORD, Cast

TOKEN = "/api/auth/token"
REFRESH = "/api/auth/refresh"
REVOKE = "/api/auth/revoke"


def sign_in(nobody: Caller, email: str = "ada@example.com", password: str = PASSWORD) -> dict[str, Any]:
    """The tokens of a good sign-in."""
    response = nobody.post(TOKEN, {"email": email, "password": password})
    assert response.status_code == 200, response.json
    found: dict[str, Any] = response.json
    return found


def may_enter(client: FlaskClient, access_token: str) -> bool:
    """Whether the token opens a door; a refusal must be a proper one."""
    response = Caller(client, access_token).get(STATUS)
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.json.keys() == {"success", "error", "details"}
    return bool(response.status_code == 200)


def test_signing_in_answers_the_promised_shape(nobody: Caller, cast: Cast, client: FlaskClient) -> None:
    answer = sign_in(nobody, " ADA@example.com ")
    assert list(answer) == ["accessToken", "refreshToken", "tokenType", "expiresIn"]
    assert (answer["tokenType"], answer["expiresIn"]) == ("Bearer", 900)
    assert may_enter(client, answer["accessToken"])


def test_unknown_wrong_and_disabled_get_the_same_answer(nobody: Caller, cast: Cast) -> None:
    cast.bea.disabled_at = datetime.now(UTC)
    db.session.commit()
    answers = {
        (response.status_code, response.data)
        for response in (
            nobody.post(TOKEN, {"email": email, "password": password})
            for email, password in (
                ("who@example.com", PASSWORD),
                ("ada@example.com", "wrong-password"),
                ("bea@example.com", PASSWORD),
            )
        )
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_the_eleventh_bad_try_waits_for_everybody_at_that_address(nobody: Caller, cast: Cast) -> None:
    start = datetime.now(UTC)
    for number in range(10):
        # Two minutes and a half in all: the limit of ten a minute has nothing to say here.
        with time_machine.travel(start + timedelta(seconds=15 * number), tick=False):
            response = nobody.post(
                TOKEN,
                {"email": f"guess-{number}@example.com", "password": "wrong-password"},
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            )
            assert response.status_code == 401
    response = nobody.post(TOKEN, {"email": "ada@example.com", "password": PASSWORD})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1


def test_both_doors_count_bad_tries_together(nobody: Caller, client: FlaskClient, app: Flask, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    for _ in range(10):
        assert client.post("/login", data={"email": "ada@example.com", "password": "wrong-password"}).status_code == 401
    assert nobody.post(TOKEN, {"email": "Ada@example.com", "password": PASSWORD}).status_code == 429


def test_a_refresh_token_renews_once(nobody: Caller, cast: Cast, client: FlaskClient) -> None:
    first = sign_in(nobody)
    second = nobody.post(REFRESH, {"refreshToken": first["refreshToken"]}).json
    assert may_enter(client, second["accessToken"])
    assert nobody.post(REFRESH, {"refreshToken": first["refreshToken"]}).status_code == 401
    assert not may_enter(client, second["accessToken"])
    assert nobody.post(REFRESH, {"refreshToken": second["refreshToken"]}).status_code == 401


def test_signing_out_ends_the_sign_in_at_once(nobody: Caller, cast: Cast, client: FlaskClient) -> None:
    one, other = sign_in(nobody), sign_in(nobody)
    assert nobody.post(REVOKE, {"refreshToken": one["refreshToken"]}).json == {"success": True}
    assert nobody.post(REVOKE, {"refreshToken": "nobody-knows-this"}).json == {"success": True}
    assert not may_enter(client, one["accessToken"])
    assert may_enter(client, other["accessToken"])


def test_a_new_password_ends_all_sign_ins(nobody: Caller, cast: Cast, client: FlaskClient) -> None:
    answer = sign_in(nobody)
    service.change_password(cast.ada, "another-password-2")
    assert not may_enter(client, answer["accessToken"])
    assert nobody.post(REFRESH, {"refreshToken": answer["refreshToken"]}).status_code == 401


def test_an_expired_token_is_refused(nobody: Caller, cast: Cast, client: FlaskClient) -> None:
    answer = sign_in(nobody)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15), tick=False):
        assert not may_enter(client, answer["accessToken"])


def forged(user: User, keys: tokens.Keys) -> list[str]:
    """Tokens that look good and aren't."""
    good = tokens.issue(user, keys).access_token
    claims = jwt.decode(good, keys.current, algorithms=["HS256"], audience=tokens.AUDIENCE)
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    payload = good.split(".")[1]
    deep = base64.urlsafe_b64encode(b"[" * 5_000).decode()
    return [
        f"{header}.{payload}.",
        jwt.encode(claims, keys.current, algorithm="HS384"),
        jwt.encode(claims, "another-key-of-at-least-32-letters-!", algorithm="HS256"),
        jwt.encode(claims | {"aud": "somewhere-else"}, keys.current, algorithm="HS256"),
        jwt.encode({name: value for name, value in claims.items() if name != "exp"}, keys.current, algorithm="HS256"),
        tokens.issue(user, keys).refresh_token,
        good[:-2],
        good.upper(),
        f"{deep}.{payload}.x",
        "é",
        b"\xff\xfe\xfa".decode("latin-1"),
        "..",
    ]


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_forged_tokens_are_refused(client: FlaskClient, cast: Cast, keys: tokens.Keys) -> None:
    for token in forged(cast.ada, keys):
        assert not may_enter(client, token), token


def test_a_session_cookie_alone_opens_nothing(client: FlaskClient, app: Flask, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    assert client.post("/login", data={"email": "ada@example.com", "password": PASSWORD}).status_code == 302
    assert client.get("/login").status_code == 302
    assert Caller(client).get(STATUS).status_code == 401
    assert Caller(client).post(SEND, {"recipientId": "1001", "content": "Hi"}).status_code == 401


def test_an_access_token_opens_no_page(client: FlaskClient, cast: Cast, keys: tokens.Keys) -> None:
    response = Caller(client, tokens.issue(cast.ada, keys).access_token).get("/messages/onlyfans")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/login")


def test_other_schemes_are_refused(client: FlaskClient, cast: Cast, keys: tokens.Keys) -> None:
    token = tokens.issue(cast.ada, keys).access_token
    for value in ("", "Bearer", "Bearer ", f"Basic {token}", token, f"Bearer{token}"):
        assert client.get(STATUS, headers={"Authorization": value}).status_code == 401, value
    assert client.get(STATUS, headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert client.get(f"{STATUS}?access_token={token}").status_code == 401
