"""A person at the inbox: what is pressed there reaches the platform, and the bubble says so by itself."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.audit import audit
from tests.journeys.authors import PASSWORD, Author
from tests.journeys.house import House

pytestmark = pytest.mark.browser
ARRIVES_WITHIN = 30_000


def test_it_is_sent_and_seen_to_arrive(house: House, author: Author, page: Page) -> None:
    author.wait_for(author.write("Hello!"), "sent")
    with house.web() as web:
        page.goto(f"{web.base_url}/login")
        page.fill("#email", author.email)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.click("#rows .row a")
        page.fill("#text", "Written at the inbox")
        page.keyboard.press("Enter")
        arrived = page.locator(".message.sent .text", has_text="Written at the inbox")
        expect(arrived).to_be_visible(timeout=ARRIVES_WITHIN)
        expect(page.locator(".gauge")).to_contain_text("left")
    assert audit(author)["calls"] == 2
    assert author.entries()[-1]["text"] == "Written at the inbox"
