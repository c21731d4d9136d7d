"""The charts in a real browser: drawn, in both themes and on a phone, changed in part, and deaf to hostile names."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.analytics import service
from app.clock import now
from app.earnings import service as earnings
from app.earnings.models import Kind
from app.earnings.service import Payment
from app.extensions import db
from app.fans.models import Fan
from tests.support.cast import Cast

pytestmark = pytest.mark.browser
PAGE = "/platforms/onlyfans/analytics"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
HOSTILE = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<a href=\"javascript:document.title='owned'\">click me</a>",
    "<script>document.title='owned'</script>",
    "'\"><svg onload=\"document.title='owned'\">",
    "\u202egnp.exe <b>bold</b>",
    "2026-01-01",
]
ANY = re.compile(".+")
CHARTS = ["revenue", "active-fans", "top-fans", "types", "hours", "cohorts"]
LATE = ["**/plotly-cartesian-*", "**/analytics/charts/*"]
PLACES = """() => [...document.querySelectorAll(".plot")].map((plot) => {
  const { x, y, width, height } = plot.getBoundingClientRect();
  return [x, y + document.scrollingElement.scrollTop, width, height].map(Math.round);
})"""
Enter = Callable[..., Page]


@pytest.fixture(autouse=True)
def books(cast: Cast) -> None:
    """Three months of payments by twelve fans, half of them with names that mean harm; two of them are equal."""
    names = [*HOSTILE, HOSTILE[-1], *(f"Fan {number}" for number in range(5))]
    fans = [Fan(account_id=cast.account.id, platform_id=f"9{n}", name=name) for n, name in enumerate(names)]
    db.session.add_all(fans)
    db.session.commit()
    kinds, until = list(Kind), now() - timedelta(minutes=1)
    found = [
        Payment(
            f"p{n}-{day}", kinds[(n + day) % 5], 5000 - n * 200, 4000 - n * 160, until - timedelta(days=day), fan.id
        )
        for n, fan in enumerate(fans)
        for day in range(0, 95, 5)
    ]
    earnings.record(cast.account.id, found)
    service.roll_up()


def drawn(page: Page) -> Page:
    """Look at every chart until it is there."""
    for plot in page.locator(".plot").all():
        plot.evaluate("plot => plot.scrollIntoView({ block: 'center' })")
        expect(plot).not_to_have_attribute("hx-get", ANY)
    expect(page.locator(".plot[hx-get]")).to_have_count(0)
    charts = page.locator(".chart[data-figure]")
    expect(page.locator(".chart.drawn")).to_have_count(charts.count())
    return page


def bars(page: Page, name: str) -> int:
    """How many bars a chart has."""
    return page.locator(f"#chart-{name} .bars .point path").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_and_nothing_complains(enter: Enter, page: Page, ada: User, scheme: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(DESKTOP)
    drawn(enter(ada, PAGE))
    assert [page.locator(f"#chart-{name} svg.main-svg").count() > 0 for name in CHARTS] == [True] * 6
    assert (bars(page, "revenue"), bars(page, "top-fans"), bars(page, "types")) == (60, 10, 5)
    assert page.locator("#chart-hours .hm image").count() == 1
    colours = {bar.get_attribute("style") for bar in page.locator("#chart-top-fans .bars path").all()}
    assert len(colours) == 1
    assert ("rgb(163, 25, 91)" if scheme == "light" else "rgb(240, 132, 181)") in str(colours)
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    expect(page.locator("#chart-top-fans .bars path").first).not_to_have_attribute("style", str(colours.pop()))
    assert page.locator(".modebar-btn").count() == 0
    assert said == []


def test_names_are_shown_as_they_are_and_lead_to_their_fan(enter: Enter, page: Page, ada: User) -> None:
    drawn(enter(ada, PAGE))
    shown = [text.replace("\xa0", " ") for text in page.locator("#chart-top-fans .ytick text").all_text_contents()]
    assert len(shown) == 10
    assert shown[0].startswith("<img src=x onerror=")
    assert shown[4] == "gnp.exe <b>bold</b>"
    links = page.locator("#chart-top-fans .ytick a")
    assert links.count() == 10
    best = db.session.query(Fan).filter_by(platform_id="90").one().id
    assert links.first.get_attribute("href") == f"/platforms/onlyfans/fans/{best}"
    for place in range(6):
        page.locator("#chart-top-fans .bars .point path").nth(place).hover(force=True)
        expect(page.locator("#chart-top-fans .hoverlayer .hovertext")).to_be_visible()
    page.locator(".plot-top-fans .numbers summary").click()
    expect(page.locator("table").filter(has_text="<script>document.title").first).to_be_visible()
    for figure in ("top-fans", "creators"):
        assert page.locator(f"#chart-{figure} img, #chart-{figure} script, #chart-{figure} [onload]").count() == 0
    assert page.title().startswith("Analytics")


def test_links_of_the_chart_are_followed(enter: Enter, page: Page, ada: User) -> None:
    drawn(enter(ada, PAGE))
    with page.expect_navigation(url="**/platforms/onlyfans/fans/*"):
        page.locator("#chart-top-fans .ytick a").first.click()


def test_a_phone_shows_it_all_in_one_column(enter: Enter, page: Page, ada: User) -> None:
    page.set_viewport_size(PHONE)
    drawn(enter(ada, PAGE))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for name in CHARTS:
        box: Any = page.locator(f"#chart-{name} svg.main-svg").first.bounding_box()
        assert 250 < box["width"] <= PHONE["width"]
        assert box["height"] > 200


def test_only_what_changes_is_swapped_and_the_address_follows(enter: Enter, page: Page, ada: User) -> None:
    drawn(enter(ada, PAGE))
    page.evaluate("document.querySelector('.cards').dataset.kept = 'yes'")
    page.click("#interval-week")
    expect(page.locator("#interval-week")).to_have_attribute("aria-current", "true")
    drawn(page)
    assert bars(page, "revenue") in (10, 12)
    assert page.locator(".cards[data-kept]").count() == 1
    page.click("#range-90d")
    expect(page.locator("#range-90d")).to_have_attribute("aria-current", "true")
    assert "interval=week" in page.url
    assert "range=90d" in page.url
    drawn(page)
    page.select_option("#zone", "UTC")
    page.wait_for_url("**zone=UTC**")
    expect(page.locator("#range-90d")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.locator("#zone")).to_have_value("")
    drawn(page)
    assert bars(page, "revenue") >= 26


def test_nothing_jumps_when_charts_are_drawn(enter: Enter, page: Page, ada: User, live_server: str) -> None:
    enter(ada, PAGE)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        for address in LATE:
            page.route(address, lambda route: route.abort())
        page.goto(f"{live_server}{PAGE}")
        before = page.evaluate(PLACES)
        for address in LATE:
            page.unroute(address)
        page.goto(f"{live_server}{PAGE}")
        assert drawn(page).evaluate(PLACES) == before


def test_a_chart_that_did_not_come_is_asked_for_again_on_the_next_look(enter: Enter, page: Page, ada: User) -> None:
    page.route(LATE[1], lambda route: route.abort())
    enter(ada, PAGE)
    with page.expect_event("requestfailed", lambda request: "/charts/cohorts" in request.url):
        page.locator(".plot-cohorts").scroll_into_view_if_needed()
    page.unroute(LATE[1])
    page.evaluate("scrollTo(0, 0)")
    drawn(page)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(enter: Enter, page: Page, max: User, scheme: str, live_server: str) -> None:
    page.emulate_media(color_scheme=scheme)
    enter(max, PAGE)
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        for query in ("", "?from=2020-01-01&to=2020-01-31&money=gross"):
            page.goto(f"{live_server}{PAGE}{query}")
            for summary in drawn(page).locator(".numbers summary, .how summary").all():
                summary.click()
            found = Axe().run(page).response["violations"]
            assert [(fault["id"], node["html"][:160]) for fault in found for node in fault["nodes"]] == []
