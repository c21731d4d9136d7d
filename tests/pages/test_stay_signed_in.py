"""Being signed in: what renews a session, how it ends, and what those who are out see."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.accounts.models import LoginSession, User
from app.clock import now
from app.conversations.models import Conversation
from app.extensions import db
from tests.pages.conftest import HTMX, SignIn, csrf_token, look, post

LATER = timedelta(minutes=5)


def _seen_at() -> object:
    return db.session.scalars(select(LoginSession.seen_at)).one()


def test_a_page_renews_the_session_and_a_poll_does_not(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    before = _seen_at()
    with time_machine.travel(now() + LATER):
        client.get("/messages/onlyfans/live?account=1", headers={**HTMX, "X-Poll": "1"})
        assert _seen_at() == before
        client.get("/messages/onlyfans")
        assert _seen_at() != before


def test_a_poll_sets_no_cookie(sign_in: SignIn, ada: User) -> None:
    answer = sign_in(ada).get("/messages/onlyfans/live?account=1", headers={**HTMX, "X-Poll": "1"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_after_signing_out_the_old_cookie_is_dead(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    cookie = client.get_cookie("huntaze")
    assert cookie is not None
    assert client.post("/logout", data={"csrf_token": csrf_token(client, "/messages/onlyfans")}).location == "/login"
    client.set_cookie("huntaze", cookie.value)
    assert client.get("/messages/onlyfans").location == "/login?next=/messages/onlyfans"


def test_a_link_can_not_sign_anybody_out(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 400
    assert client.get("/messages/onlyfans").status_code == 200


def test_a_token_of_another_session_is_refused(
    sign_in: SignIn, ada: User, eve: User, conversation: Conversation
) -> None:
    token = csrf_token(sign_in(eve), "/messages/onlyfans")
    data = {"csrf_token": token, "text": "Hi", "key": "a" * 32}
    assert sign_in(ada).post(f"/messages/onlyfans/{conversation.id}/send", data=data).status_code == 400


def test_a_fragment_for_nobody_is_a_notice_and_never_the_login_page(client: FlaskClient, ada: User) -> None:
    for path in ("live?account=1", "rows?account=1", "1/older"):
        headers = {**HTMX, "HX-Current-URL": "http://localhost/messages/onlyfans/3"}
        answer = client.get(f"/messages/onlyfans/{path}", headers=headers)
        assert answer.status_code == 401
        assert "You are signed out" in answer.text
        assert "/login?next=/messages/onlyfans/3" in answer.text
        assert "<form" not in answer.text


def test_signing_out_twice_leads_to_the_sign_in(client: FlaskClient, ada: User) -> None:
    assert client.post("/logout").location == "/login"


def test_sending_when_signed_out_is_told_as_that(client: FlaskClient, conversation: Conversation) -> None:
    answer = client.post(f"/messages/onlyfans/{conversation.id}/send", data={"text": "Hi"}, headers=HTMX)
    assert answer.status_code == 401
    assert "You are signed out" in answer.text


def test_a_stale_form_is_told_to_load_the_page_again(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    path = f"/messages/onlyfans/{conversation.id}/send"
    answer = sign_in(ada).post(path, data={"text": "Hi"}, headers={**HTMX, "X-CSRFToken": "old"})
    assert answer.status_code == 400
    assert "out of date" in answer.text


def test_an_operator_sees_no_conversation(sign_in: SignIn, olga: User, conversation: Conversation) -> None:
    client = sign_in(olga)
    assert client.get("/operations").status_code == 200
    for path in ("", f"/{conversation.id}", "/rows?account=1", f"/live?account=1&c={conversation.id}"):
        assert client.get(f"/messages/onlyfans{path}").status_code == 403


def test_a_message_can_be_cancelled_by_its_people_only(sign_in: SignIn, eve: User, olga: User) -> None:
    assert post(sign_in(eve), "/messages/1/cancel").status_code == 404
    assert sign_in(olga).post("/messages/1/cancel").status_code == 400


@pytest.mark.browser
def test_signed_out_in_another_tab(enter: Callable[..., Page], ada: User, conversation: Conversation) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.fill("#text", "half a thought")
    other = page.context.new_page()
    other.goto(page.url)
    other.click(".person summary")
    other.click("text=Sign out")
    other.wait_for_url("**/login")
    page.bring_to_front()
    look(page)
    expect(page.locator("#notices")).to_contain_text("You are signed out")
    expect(page.locator("#thread-title")).to_be_visible()
    assert page.locator("#password").count() == 0
    page.click("text=Sign in again")
    assert page.url.endswith(f"/login?next=/messages/onlyfans/{conversation.id}")
