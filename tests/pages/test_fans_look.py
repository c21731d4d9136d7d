"""Fans and imports are for everybody: axe finds nothing, nothing sticks out on a phone, the keyboard is enough."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.fans import service
from app.imports import service as imports
from app.imports.reader import Wishes
from tests.support.cast import Cast

pytestmark = pytest.mark.browser
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
PLACE = "/platforms/onlyfans"
DATES = b"username;nom;last seen;total spent\ntom_tester;Tom;3/4/2026;1.234,50\nnot ok;;;x\n"


@pytest.fixture
def paths(cast: Cast) -> list[str]:
    """Every page of fans and imports, with something on each."""
    service.change(cast.ada, cast.fans[0].id, {"tags": ["vip", "trams"], "tier": "Gold", "value_cents": 9900})
    draft = imports.upload(cast.ada, cast.account.id, "draft.csv", DATES)
    done = imports.load(cast.ada, cast.account.id, "done.csv", DATES, Wishes(date_order="dmy"))
    ends = ("fans", "fans?tag=vip", "fans?q=zzz", f"fans/{cast.fans[0].id}", "import")
    return [f"{PLACE}/{end}" for end in (*ends, f"imports/{draft.id}", f"imports/{done.id}")]


def _violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(
    enter: Callable[[User, str], Page], page: Page, cast: Cast, paths: list[str], scheme: str, live_server: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    enter(cast.ada, paths[0])
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for path in paths:
            page.goto(f"{live_server}{path}")
            assert _violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (path, size)


def test_axe_finds_nothing_in_what_opens(enter: Callable[[User, str], Page], cast: Cast, paths: list[str]) -> None:
    page = enter(cast.ada, paths[0])
    page.click(".filters summary")
    page.check("#pick-all")
    page.locator("[id^=edit-]").first.click()
    expect(page.locator(".row-form [name=name]")).to_be_focused()
    assert _violations(page) == []


def test_what_is_refused_in_the_table_is_said_in_its_row(
    enter: Callable[[User, str], Page], cast: Cast, paths: list[str]
) -> None:
    page = enter(cast.ada, paths[0])
    page.locator("[id^=edit-]").first.click()
    page.fill(".row-form [name=name]", "")
    page.click(".row-form .button:not(.quiet)")
    expect(page.locator(".row-form")).to_have_count(1)
    expect(page.locator(".roster .row-form .note")).to_have_text("A fan needs a name.")
    page.fill(".row-form [name=name]", "Aaron")
    page.click(".row-form .button:not(.quiet)")
    expect(page.locator(".row-form")).to_have_count(0)
    expect(page.locator("[id^=edit-]").first).to_be_focused()


def test_a_file_that_is_too_large_stays_here(
    enter: Callable[[User, str], Page], cast: Cast, paths: list[str], live_server: str
) -> None:
    page = enter(cast.ada, paths[0])
    page.goto(f"{live_server}{PLACE}/import")
    page.evaluate("document.getElementById('file').dataset.largest = 5")
    for content, wrong in ((b"name\ntom", 1), (b"name\n", 0)):
        page.set_input_files("#file", {"name": "fans.csv", "mimeType": "text/csv", "buffer": content})
        expect(page.locator("#file:invalid")).to_have_count(wrong)


def test_the_keyboard_is_enough_to_take_a_fan_out(
    enter: Callable[[User, str], Page], cast: Cast, paths: list[str], live_server: str
) -> None:
    page = enter(cast.ada, paths[0])
    page.goto(f"{live_server}{PLACE}/fans/{cast.fans[0].id}")
    page.focus(".asks summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".asks button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".note.good")).to_contain_text("Tom is taken out")
    expect(page.locator(".roster tbody tr")).to_have_count(3)
