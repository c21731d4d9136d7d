"""Finding a conversation: search as you type, only unread ones, and an address that remembers both."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.db import transaction
from app.extensions import db
from tests.pages.conftest import HTMX, SignIn, Write, crowd
from tests.support.cast import Cast


def _rows(text: str, cast: Cast) -> list[str]:
    return [fan.name for fan in cast.fans if f">{fan.name}</span>" in text]


FOUND = {
    "tom": ["Tom Tester"],
    "  UMBRELLA ": ["Uma Umbrella"],
    "@vic_vapour": ["Vic Vapour"],
    "m_": ["Tom Tester"],
    "%": [],
    "_": ["Nameless Nora", "Tom Tester", "Uma Umbrella", "Vic Vapour"],
    "\x00tom": ["Tom Tester"],
    "": ["Nameless Nora", "Tom Tester", "Uma Umbrella", "Vic Vapour"],
}


def test_by_name_or_handle(any_database: str, sign_in: SignIn, ada: User, cast: Cast) -> None:
    client, found = sign_in(ada), {}
    for words in FOUND:
        query = {"account": cast.account.id, "q": words}
        answer = client.get("/messages/onlyfans/rows", query_string=query, headers=HTMX)
        found[words] = sorted(_rows(answer.text, cast))
    assert found == FOUND


def test_only_unread_ones(sign_in: SignIn, ada: User, cast: Cast, write: Write) -> None:
    write(cast.conversations[1], "Hello?")
    client = sign_in(ada)
    assert _rows(client.get("/messages/onlyfans?filter=unread").text, cast) == ["Uma Umbrella"]


def test_what_is_not_found_is_said(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client = sign_in(ada)
    assert "has “<b>x</b>” in it" not in client.get("/messages/onlyfans?q=<b>x</b>").text
    assert "has “&lt;b&gt;x&lt;/b&gt;” in it" in client.get("/messages/onlyfans?q=<b>x</b>").text
    assert "All read" in client.get("/messages/onlyfans?filter=unread").text


def test_the_address_follows(sign_in: SignIn, ada: User, cast: Cast) -> None:
    shown = f"http://localhost/messages/onlyfans/{cast.conversations[0].id}?q=old"
    query = {"account": str(cast.account.id), "q": "tom", "filter": "unread"}
    headers = {**HTMX, "HX-Current-URL": shown}
    answer = sign_in(ada).get("/messages/onlyfans/rows", query_string=query, headers=headers)
    wanted = f"/messages/onlyfans/{cast.conversations[0].id}?filter=unread&q=tom"
    assert answer.headers["HX-Replace-Url"] == wanted


def test_a_strange_current_address_breaks_nothing(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client = sign_in(ada)
    for shown in ("", "nonsense", "http://[", "http://x/messages/onlyfans/" + "9" * 40):
        headers = {**HTMX, "HX-Current-URL": shown}
        answer = client.get(f"/messages/onlyfans/rows?account={cast.account.id}", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["HX-Replace-Url"] == f"/messages/onlyfans?account={cast.account.id}"


@pytest.mark.browser
def test_the_list_narrows_as_you_type(enter: Callable[..., Page], ada: User, cast: Cast, write: Write) -> None:
    write(cast.conversations[2], "Unread")
    page = enter(ada, f"/messages/onlyfans/{cast.conversations[0].id}")
    page.locator("#search").press_sequentially("uma", delay=20)
    expect(page.locator("#rows .row")).to_have_count(1)
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#thread-title")).to_have_text("Tom Tester")
    assert page.url.endswith(f"/messages/onlyfans/{cast.conversations[0].id}?q=uma")
    page.reload()
    expect(page.locator("#rows .row")).to_have_count(1)
    page.fill("#search", "")
    page.click("text=Unread >> nth=0")
    expect(page.locator("#rows .row-name")).to_have_text("Vic Vapour")
    page.click("#rows .row a")
    expect(page.locator("#thread-title")).to_have_text("Vic Vapour")
    expect(page.locator("#rows .badge")).to_have_count(0)


@pytest.mark.browser
def test_scrolling_down_loads_the_rest(enter: Callable[..., Page], ada: User, cast: Cast, write: Write) -> None:
    with transaction():
        db.session.execute(db.text("UPDATE fan SET name = 'Old ' || name"))
    crowd(cast, 60, write)
    page = enter(ada)
    expect(page.locator("#rows .row")).to_have_count(50)
    page.locator("#rows .row").nth(49).scroll_into_view_if_needed()
    expect(page.locator("#rows .row")).to_have_count(64)
    expect(page.locator("#rows .row").last).to_contain_text("Old")
