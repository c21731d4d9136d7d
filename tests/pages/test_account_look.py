"""The account page, the second step and the audit log are for everybody: axe finds nothing, nothing sticks out."""

from collections.abc import Callable

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.accounts.models import User
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


def _is_fit(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= (page.viewport_size or PHONE)["width"]


def test_a_second_factor_from_the_qr_code_to_the_next_sign_in(
    enter: Callable[[User, str], Page], live_server: str, max: User
) -> None:
    page = enter(max, "/account")
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    page.get_by_label("Your password").first.fill(PASSWORD)
    page.click("text=Set it up")
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert page.get_by_alt_text("QR code").evaluate("image => image.naturalWidth") > 100
    _is_fit(page)
    page.fill("#code", pyotp.TOTP(page.inner_text(".qr code")).now())
    page.click("text=Turn on")
    code = page.locator(".codes code").first.inner_text()
    _is_fit(page)
    page.goto(f"{live_server}/audit")
    expect(page.locator(".log")).to_contain_text("Turned the second factor on")
    _is_fit(page)
    page.context.clear_cookies()
    page.emulate_media(color_scheme="light")
    page.goto(f"{live_server}/login?next=/audit")
    page.fill("#email", max.email)
    page.fill("#password", PASSWORD)
    page.click("button")
    _is_fit(page)
    page.fill("#code", code)
    page.click("button")
    page.wait_for_url("**/audit")
