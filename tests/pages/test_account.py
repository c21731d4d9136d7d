"""The account page: each does to their own sign-in what they like, and nothing to anybody else's."""

import re
from collections.abc import Callable

import pyotp
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts import api_tokens, second_factor
from app.accounts.models import ApiToken, AuditEvent, LoginSession, User
from app.extensions import db
from tests.pages.conftest import SignIn, csrf_token, sign_in_with
from tests.support.cast import PASSWORD

ACCOUNT = "/account"
NEW = "another-password-2"


def submit(client: FlaskClient, path: str, **data: str) -> TestResponse:
    """What a form of the page does."""
    return client.post(f"{ACCOUNT}/{path}", data={"csrf_token": csrf_token(client, ACCOUNT), **data})


def test_everybody_has_one(sign_in: SignIn, ada: User, max: User, olga: User) -> None:
    for user in (ada, max, olga):
        answer = sign_in(user).get(ACCOUNT)
        assert (answer.status_code, user.email in answer.text) == (200, True)


def test_a_new_password_ends_everything_but_this_browser(
    sign_in: SignIn, make_client: Callable[[], FlaskClient], ada: User
) -> None:
    client, other = sign_in(ada), sign_in(ada)
    token = api_tokens.create(ada, "Poller")
    answer = submit(client, "password", password=PASSWORD, new=NEW, again=NEW)
    assert answer.status_code == 303
    assert "changed" in client.get(ACCOUNT).text
    assert other.get(ACCOUNT).status_code == 302
    assert client.get("/api/onlyfans/messages/status", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert sign_in_with(make_client(), ada.email).status_code == 401
    assert sign_in_with(make_client(), ada.email, NEW).status_code == 302


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({"password": "wrong-password", "new": NEW, "again": NEW}, 403, "Your password is wrong"),
        ({"password": PASSWORD, "new": "short", "again": "short"}, 422, "Use 10 to 200 characters"),
        ({"password": PASSWORD, "new": NEW, "again": "different-one-3"}, 422, "The two new passwords differ"),
        ({}, 422, "Enter your password"),
    ],
)
def test_a_password_that_may_not_be_stays(
    sign_in: SignIn, ada: User, data: dict[str, str], status: int, words: str
) -> None:
    client = sign_in(ada)
    answer = submit(client, "password", **data)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert client.get(ACCOUNT).status_code == 200


def test_the_password_can_not_be_guessed_here_either(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    wrong = {"password": "wrong-password", "name": "Poller"}
    assert [submit(client, "tokens", **wrong).status_code for _ in range(11)] == [403] * 10 + [429]
    assert submit(client, "tokens", password=PASSWORD, name="Poller").status_code == 429


def test_other_browsers_are_listed_and_signed_out(sign_in: SignIn, ada: User, eve: User) -> None:
    client, other, third = sign_in(ada), sign_in(ada), sign_in(ada)
    eves = sign_in(eve)
    page = client.get(ACCOUNT).text
    assert page.count("/account/sessions/") == 2 + 1
    assert page.count("This browser") == 1
    first = int(re.findall(r"/account/sessions/(\d+)/end", page)[0])
    assert submit(eves, f"sessions/{first}/end").status_code == 404
    assert submit(client, f"sessions/{first}/end").status_code == 303
    assert submit(client, f"sessions/{first}/end").status_code == 404
    assert len(db.session.scalars(select(LoginSession).where(LoginSession.user_id == ada.id)).all()) == 2
    assert submit(client, "sessions/end-others").status_code == 303
    assert [one.get(ACCOUNT).status_code for one in (client, other, third, eves)] == [200, 302, 302, 200]


def test_the_second_factor_goes_on_and_off(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    assert submit(client, "second-factor/begin", password="wrong-password").status_code == 403
    assert submit(client, "second-factor/begin", password=PASSWORD).status_code == 303
    page = client.get(ACCOUNT).text
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert secret is not None
    assert 'src="data:image/svg+xml' in page
    assert submit(client, "second-factor/confirm", code="12345").status_code == 422
    shown = submit(client, "second-factor/confirm", code=pyotp.TOTP(secret[1]).now())
    codes = re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", shown.text)
    assert (shown.status_code, len(codes), shown.headers["Cache-Control"]) == (200, 10, "no-store")
    assert secret[1] not in client.get(ACCOUNT).text
    assert codes[0] not in client.get(ACCOUNT).text
    assert submit(client, "second-factor/codes", password=PASSWORD).text.count("<li><code>") == 10
    assert submit(client, "second-factor/off", password="wrong-password").status_code == 403
    assert second_factor.is_on(ada)
    assert submit(client, "second-factor/off", password=PASSWORD).status_code == 303
    assert not second_factor.is_on(ada)


def test_a_token_is_shown_once_and_works_until_it_is_revoked(sign_in: SignIn, ada: User, eve: User) -> None:
    client, eves = sign_in(ada), sign_in(eve)
    made = submit(client, "tokens", password=PASSWORD, name=" Nightly <b>export</b> ")
    token = re.search(r"hz_[A-Za-z0-9_-]{40,}", made.text)
    assert token is not None
    headers = {"Authorization": f"Bearer {token[0]}"}
    assert eves.get("/api/onlyfans/accounts", headers=headers).status_code == 200
    page = client.get(ACCOUNT).text
    assert token[0] not in page
    assert "Nightly &lt;b&gt;export&lt;/b&gt;" in page
    token_id = db.session.scalars(select(ApiToken.id)).one()
    assert submit(eves, f"tokens/{token_id}/revoke").status_code == 404
    assert submit(client, f"tokens/{token_id}/revoke").status_code == 303
    assert eves.get("/api/onlyfans/accounts", headers=headers).status_code == 401
    assert submit(client, f"tokens/{token_id}/revoke").status_code == 404
    written = [event.action for event in db.session.scalars(select(AuditEvent).where(AuditEvent.user_id == ada.id))]
    assert written == ["session.started", "token.created", "token.revoked"]
