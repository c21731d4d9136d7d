"""Saved replies: kept on their own page, inserted with `/`, filled in with the fan's name."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from app.accounts.models import Account, User
from app.conversations import queries, service
from app.conversations.models import Conversation
from tests.pages.conftest import HTMX, SignIn, post
from tests.support.cast import Cast

PAGE = "/messages/saved-replies"


def _add(client: FlaskClient, account: Account, shortcut: str, text: str) -> str:
    answer = post(client, f"{PAGE}?account={account.id}", {"shortcut": shortcut, "text": text}, htmx=False)
    return answer.text if answer.status_code == 422 else ""


def test_one_is_added_changed_and_taken_out(sign_in: SignIn, ada: User, account: Account) -> None:
    client = sign_in(ada)
    assert _add(client, account, " /Hi ", "Hello {{name}}") == ""
    reply = queries.saved_replies(ada, account.id)[0]
    assert (reply.shortcut, reply.text) == ("hi", "Hello {{name}}")
    assert "Hello {{name}}" in client.get(PAGE).text
    post(client, f"{PAGE}/{reply.id}", {"shortcut": "hey", "text": "Hey"}, htmx=False)
    assert [one.shortcut for one in queries.saved_replies(ada, account.id)] == ["hey"]
    post(client, f"{PAGE}/{reply.id}/remove", htmx=False)
    assert queries.saved_replies(ada, account.id) == []


def test_what_can_not_be_kept_comes_back_with_its_reason(sign_in: SignIn, ada: User, account: Account) -> None:
    client = sign_in(ada)
    _add(client, account, "hi", "Hello")
    for shortcut, text, reason in (
        ("hi", "Again", "/hi is taken"),
        ("not one word", "Kept text", "letters, digits and hyphens"),
        ("x" * 41, "Kept text", "letters, digits and hyphens"),
        ("empty", " ", "Content is required"),
        ("odd", "Hi {{surname}}", "Nobody knows {{surname}}"),
        ("odd", "a\x00b", "control characters"),
    ):
        page = _add(client, account, shortcut, text)
        assert reason in page
        assert text.strip("\x00 ")[:4] in page
    assert len(queries.saved_replies(ada, account.id)) == 1


def test_a_changed_one_keeps_its_own_shortcut(sign_in: SignIn, ada: User, account: Account) -> None:
    client = sign_in(ada)
    for shortcut in ("one", "two"):
        _add(client, account, shortcut, "Hello")
    first = queries.saved_replies(ada, account.id)[0]
    assert post(client, f"{PAGE}/{first.id}", {"shortcut": "one", "text": "New"}, htmx=False).status_code == 303
    refused = post(client, f"{PAGE}/{first.id}", {"shortcut": "two", "text": "Newer"}, htmx=False)
    assert refused.status_code == 422
    assert "Newer" in refused.text


def test_the_list_has_an_end(ada: User, account: Account, sign_in: SignIn) -> None:
    for number in range(queries.REPLIES_MOST):
        service.save_reply(ada, account.id, f"r{number}", "Hello")
    assert "take one out first" in _add(sign_in(ada), account, "more", "Hello")


def test_the_people_of_an_account_share_them_and_nobody_else_sees_them(
    sign_in: SignIn, ada: User, max: User, eve: User, cast: Cast
) -> None:
    reply = service.save_reply(ada, cast.account.id, "secret", "Between us")
    assert "Between us" in sign_in(max).get(f"{PAGE}?account={cast.account.id}").text
    client = sign_in(eve)
    assert client.get(f"{PAGE}?account={cast.account.id}").status_code == 404
    assert post(client, f"{PAGE}?account={cast.account.id}", {"shortcut": "x", "text": "x"}).status_code == 404
    for path in (f"{PAGE}/{reply.id}", f"{PAGE}/{reply.id}/remove", f"{PAGE}/99999"):
        assert post(client, path, {"shortcut": "x", "text": "x"}).status_code == 404
    assert client.get(f"{PAGE}/menu?c={cast.conversations[0].id}", headers=HTMX).status_code == 404
    assert client.get(f"{PAGE}/menu?c=x").status_code == 404


def test_the_menu_says_the_fans_name(sign_in: SignIn, ada: User, account: Account, conversation: Conversation) -> None:
    service.save_reply(ada, account.id, "hi", "Hello {{name}}, <b>dear</b>")
    menu = sign_in(ada).get(f"{PAGE}/menu?c={conversation.id}", headers=HTMX).text
    assert "Hello Tom Tester, &lt;b&gt;dear&lt;/b&gt;" in menu


@pytest.mark.browser
def test_slash_inserts_one(enter: Callable[..., Page], ada: User, account: Account, conversation: Conversation) -> None:
    service.save_reply(ada, account.id, "hi", "Hello {{name}}!")
    service.save_reply(ada, account.id, "thanks", "Thank you!")
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.focus("#text")
    page.keyboard.type("Oh! /th")
    expect(page.locator("#replies [role=option]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value("Oh! Thank you!")
    page.fill("#text", "")
    page.keyboard.type("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#replies [aria-selected=true]")).to_contain_text("/hi")
    page.keyboard.press("Tab")
    expect(page.locator("#text")).to_have_value("Hello Tom Tester!")
    page.fill("#text", "")
    page.keyboard.type("/")
    expect(page.locator("#replies")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#replies")).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()
