"""A campaign in a real browser: written, previewed, launched, watched and stopped; on a phone, by keyboard, for all."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.campaigns.models import Campaign
from app.db import transaction
from app.delivery import heartbeat
from app.extensions import db
from app.messages import handover, outcomes
from app.messages.outcomes import Failed, Sent
from tests.campaigns.campaigns import launch, messages
from tests.messages.line import must_claim
from tests.support.cast import Cast

pytestmark = pytest.mark.browser
Enter = Callable[..., Page]
BULK, CAMPAIGNS = "/messages/bulk", "/messages/campaigns"
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
OUTLOOK_COMES = """() => new Promise((done) => {
  document.addEventListener("htmx:afterOnLoad", () => done(), { once: true });
  htmx.trigger("#campaign", "change");
})"""


@pytest.fixture(autouse=True)
def worker(cast: Cast) -> None:
    """A delivery worker is alive, and one of Ada's fans has a tag."""
    heartbeat.beat("tests", "delivery")
    with transaction():
        cast.fans[0].tags = ["vip"]


def look(page: Page) -> None:
    """Poll now instead of waiting for the next five seconds to pass."""
    with page.expect_response("**/live?**"):
        page.evaluate("htmx.trigger('#pulse', 'look')")


def newest() -> Campaign:
    """The campaign that was launched last."""
    found = db.session.query(Campaign).order_by(Campaign.id.desc()).first()
    assert found is not None
    return found


def test_from_the_first_wish_to_the_last_message(enter: Enter, page: Page, ada: User, cast: Cast) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    enter(ada, BULK)
    outlook = page.locator("#outlook")
    expect(outlook.locator(".reach")).to_have_text("3 fans")
    page.fill("#tag", "vip")
    expect(outlook.locator(".reach")).to_have_text("1 fan")
    page.fill("#tag", "")
    page.fill("#name", "Friday")
    page.click("#content")
    page.keyboard.type("Hi ")
    page.click("text=Name >> nth=-1")
    page.keyboard.type("!")
    expect(page.locator("#content")).to_have_value("Hi {{name|friend}}!")
    expect(outlook.locator(".preview-bubble")).to_have_count(3)
    expect(outlook).to_contain_text("Hi Tom Tester!")
    page.click(".launch")
    page.wait_for_url(f"**{CAMPAIGNS}/*")
    expect(page.locator("#progress-title")).to_have_text("0 of 3 fans")
    campaign = newest()
    handover.mark_received([row.public_id for row in messages(campaign)])
    envelope = must_claim(cast.account)
    outcomes.record([(envelope, Sent("p1"))])
    outcomes.record([(must_claim(cast.account), Failed("They don't accept messages"))])
    look(page)
    expect(page.locator("#progress-title")).to_have_text("2 of 3 fans")
    expect(page.locator("#results .why")).to_have_text("They don't accept messages")
    page.click("text=Pause")
    expect(page.locator("#progress .stage")).to_have_text("Paused")
    page.click("text=Resume")
    expect(page.locator("#progress .stage")).to_have_text("Sending")
    page.click("text=Retry the failed")
    expect(page.locator("#progress .legend .failed")).to_contain_text("0")
    page.click("#campaigns-cancel")
    page.click("#question >> text=Yes, go on")
    expect(page.locator("#progress .stage")).to_have_text("Canceled")
    expect(page.locator("#pulse")).to_have_count(0)
    page.click("#tab-canceled")
    expect(page.locator("#results .outcome")).to_have_text(["Canceled", "Canceled"])
    assert page.url.endswith("?status=canceled")
    assert said == []


def test_what_is_wrong_is_said_beside_it_and_nothing_is_lost(enter: Enter, page: Page, ada: User) -> None:
    enter(ada, BULK)
    page.fill("#content", "Hi {{nmae}}")
    expect(page.locator("#outlook")).to_contain_text("Nobody knows {{nmae}}")
    page.click(".launch")
    expect(page.locator("#content-says")).to_contain_text("Nobody knows {{nmae}}")
    expect(page.locator("#name-says")).to_contain_text("Give it a name")
    expect(page.locator("#content")).to_have_value("Hi {{nmae}}")
    page.check("text=Later >> nth=0", force=True)
    expect(page.locator("#at")).to_be_visible()


def test_the_keyboard_alone_is_enough(enter: Enter, page: Page, ada: User) -> None:
    enter(ada, BULK)
    page.focus("#name")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type("Hello!")
    expect(page.locator("#outlook .preview-bubble")).to_have_count(3)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.launch')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{CAMPAIGNS}/*")
    page.focus("#campaigns-pause")
    page.keyboard.press("Enter")
    expect(page.locator("#campaigns-resume")).to_be_visible()


def test_an_outlook_that_comes_late_takes_neither_focus_nor_click(enter: Enter, page: Page, ada: User) -> None:
    enter(ada, BULK)
    page.fill("#name", "Late outlook")
    page.fill("#content", "Hello!")
    expect(page.locator("#outlook .preview-bubble")).to_have_count(3)
    page.focus(".launch")
    page.evaluate(OUTLOOK_COMES)
    expect(page.locator(".launch")).to_be_focused()
    page.hover(".launch")
    page.mouse.down()
    page.evaluate(OUTLOOK_COMES)
    page.mouse.up()
    page.wait_for_url(f"**{CAMPAIGNS}/*")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shuts_nobody_out_and_fits_a_phone(
    enter: Enter, page: Page, ada: User, cast: Cast, scheme: str, live_server: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    campaign = launch(cast.ada, cast.fans, received=True)
    outcomes.record([(must_claim(cast.account), Failed("They don't accept messages"))])
    enter(ada, CAMPAIGNS)
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        for path in (CAMPAIGNS, BULK, f"{CAMPAIGNS}/{campaign.id}"):
            page.goto(f"{live_server}{path}")
            found = Axe().run(page).response["violations"]
            assert [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
