"""Finding a conversation: search as you type, only unread ones, and an address that remembers both."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.db import transaction
from app.extensions import db
from app.messages.models import Status
from tests.pages.conftest import HTMX, SignIn, Write, crowd
from tests.support.cast import Cast
from tests.support.queries import count_queries


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


def test_only_those_who_wait_for_an_answer(sign_in: SignIn, ada: User, cast: Cast, write: Write) -> None:
    for conversation in cast.conversations[:2]:
        write(conversation, "Hello?", minutes_ago=5)
    write(cast.conversations[0], "Hello!", status=Status.SENT)
    client = sign_in(ada)
    assert _rows(client.get("/messages/onlyfans?filter=waiting").text, cast) == ["Uma Umbrella"]


def test_only_those_who_spent_much(sign_in: SignIn, ada: User, cast: Cast) -> None:
    with transaction():
        cast.fans[2].value_cents = 20_000
    client = sign_in(ada)
    assert _rows(client.get("/messages/onlyfans?filter=spenders").text, cast) == ["Vic Vapour"]


@pytest.mark.parametrize(("show", "index"), [("unread", "ix_conversation_unread"), ("waiting", "_waiting")])
def test_each_filter_reads_its_own_index(sign_in: SignIn, ada: User, cast: Cast, show: str, index: str) -> None:
    client = sign_in(ada)
    with count_queries() as statements:
        client.get(f"/messages/onlyfans/rows?account={cast.account.id}&filter={show}")
    asked = next(one for one in statements if "ORDER BY conversation.last_message_at" in one).replace("?", "1")
    plan = [row.detail for row in db.session.execute(db.text(f"EXPLAIN QUERY PLAN {asked}"))]
    assert any(index in step for step in plan), plan


def test_what_is_not_found_is_said(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client = sign_in(ada)
    assert "has “<b>x</b>” in it" not in client.get("/messages/onlyfans?q=<b>x</b>").text
    assert "has “&lt;b&gt;x&lt;/b&gt;” in it" in client.get("/messages/onlyfans?q=<b>x</b>").text
    assert "All read" in client.get("/messages/onlyfans?filter=unread").text
    assert "All answered" in client.get("/messages/onlyfans?filter=waiting").text
    assert "$200 or more" in client.get("/messages/onlyfans?filter=spenders").text


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
