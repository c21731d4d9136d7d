"""The control page in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.embedded.platform.sim import Sim


@pytest.mark.browser
def test_somebody_breaks_the_platform_and_mends_it(sim: Sim, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    sim.send(text="<b>Hello</b>")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{sim.url}/_sim")
    expect(page.get_by_role("status")).to_have_text("Everything works.")
    expect(page.get_by_role("cell", name="<b>Hello</b>")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("button", name="Session expired").click()
    expect(page.get_by_role("alert")).to_have_text("Which account? Write its id first.")
    page.get_by_label("Account", exact=True).fill("acct_a")
    page.get_by_role("button", name="Session expired").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    assert sim.send().status_code == 401
    page.get_by_role("button", name="20 % errors", exact=True).click()
    expect(page.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Stop unauthorized").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Everything works again").click()
    expect(page.get_by_role("status")).to_have_text("Everything works.")
    assert sim.ask("/faults")["faults"] == []
    assert complaints == []
