"""How it looks and handles: one column on phones, the keyboard alone, and nothing that shuts people out."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.conversations import service as conversations
from app.messages.models import Status
from tests.pages.conftest import Write, look
from tests.support.cast import Cast

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
Enter = Callable[..., Page]


@pytest.fixture
def lively(cast: Cast, write: Write) -> Cast:
    """Ada's inbox with a message in every state."""
    first, second = cast.conversations[:2]
    write(second, "From Uma", minutes_ago=9)
    write(first, "From Tom", minutes_ago=60 * 26, attachments=[{"type": "photo", "url": "https://cdn.example.com/1"}])
    for status in (Status.SENT, Status.QUEUED, Status.SENDING, Status.FAILED, Status.UNKNOWN, Status.CANCELED):
        write(first, f"This one is {status}", status=status, minutes_ago=8, price_cents=500, error="No reason")
    write(first, "Later", status=Status.SCHEDULED, minutes_ago=-600)
    return cast


def test_a_phone_shows_one_column_at_a_time(enter: Enter, page: Page, ada: User, lively: Cast) -> None:
    page.set_viewport_size(PHONE)
    enter(ada)
    expect(page.locator(".list")).to_be_visible()
    expect(page.locator("#thread .empty")).to_be_hidden()
    expect(page.locator("#standstill")).to_contain_text("No worker is running")
    page.locator("#rows .row a").first.click()
    expect(page.locator("#composer")).to_be_visible()
    expect(page.locator(".list")).to_be_hidden()
    page.get_by_label("Back to all conversations").click()
    expect(page.locator(".list")).to_be_visible()
    assert page.url.split("?")[0].endswith("/messages/onlyfans")
    page.go_back()
    expect(page.locator("#composer")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_keyboard_alone_is_enough(enter: Enter, page: Page, ada: User, lively: Cast) -> None:
    enter(ada)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    seen = []
    for _ in range(15):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if str(seen[-1]).startswith("row-"):
            break
    assert "search" in seen
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("Written without a mouse")
    while not page.evaluate("document.activeElement.matches('.send')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".message.queued .text", has_text="without a mouse")).to_be_visible()
    expect(page.locator("#text")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(enter: Enter, page: Page, ada: User, lively: Cast, scheme: str, live_server: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{live_server}/login")
    assert _violations(page) == []
    enter(ada)
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        for path in ("/messages/onlyfans", f"/messages/onlyfans/{lively.conversations[0].id}", "/nowhere"):
            page.goto(f"{live_server}{path}")
            assert _violations(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(
    enter: Enter, page: Page, ada: User, lively: Cast, scheme: str, live_server: str
) -> None:
    conversations.save_reply(ada, lively.account.id, "hi", "Hello {{name}}")
    page.emulate_media(color_scheme=scheme)
    enter(ada, "/messages/saved-replies")
    page.click(".replies summary")
    assert _violations(page) == []
    page.set_viewport_size(DESKTOP)
    page.goto(f"{live_server}/messages/onlyfans/{lively.conversations[0].id}")
    page.click("#panel-toggle")
    expect(page.locator("#panel-title")).to_be_focused()
    page.focus("#text")
    page.keyboard.type("/")
    expect(page.locator("#replies")).to_be_visible()
    assert _violations(page) == []
    page.keyboard.press("Escape")
    for tool in ("Media and price", "Send later", "Priority"):
        page.click(f"summary[title='{tool}']")
        assert _violations(page) == []


def test_the_operations_too(enter: Enter, page: Page, olga: User, app: Flask) -> None:
    enter(olga, "/operations")
    assert _violations(page) == []


def test_keys_lead_everywhere(enter: Enter, page: Page, ada: User, lively: Cast) -> None:
    enter(ada)
    page.keyboard.press("j")
    expect(page.locator("#thread-title")).to_have_text("Tom Tester")
    page.keyboard.press("j")
    expect(page.locator("#thread-title")).to_have_text("Uma Umbrella")
    page.keyboard.press("k")
    expect(page.locator("#thread-title")).to_have_text("Tom Tester")
    page.keyboard.press("r")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("just j")
    expect(page.locator("#text")).to_have_value("just j")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("#panel-title")).to_be_focused()


def test_a_menu_names_who_is_signed_in(enter: Enter, page: Page, max: User, lively: Cast) -> None:
    enter(max)
    page.click(".switcher summary")
    page.click(".switcher >> text=Bea")
    expect(page.locator(".switcher summary")).to_contain_text("Bea")
    page.click(".person summary")
    expect(page.locator(".who")).to_contain_text("max@example.com")
    page.keyboard.press("Escape")
    expect(page.locator(".who")).to_be_hidden()


def test_no_console_complains(enter: Enter, page: Page, ada: User, lively: Cast) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    enter(ada)
    page.locator("#rows .row a").first.click()
    expect(page.locator("#composer")).to_be_visible()
    page.fill("#text", "Hello")
    page.keyboard.press("Enter")
    expect(page.locator(".message", has_text="Hello")).to_be_visible()
    look(page)
    page.locator("#rows .row a").nth(1).click()
    expect(page.locator("#thread-title")).to_have_text("Uma Umbrella")
    assert said == []


def _violations(page: Page) -> list[str]:
    found = Axe().run(page)
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]
