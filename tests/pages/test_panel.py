"""The panel beside a thread: notes, tags, spend by type, history; edited in place."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from tests.pages.conftest import HTMX, SignIn, post
from tests.support.cast import Cast


def _panel(client: FlaskClient, conversation: Conversation) -> str:
    return client.get(f"/messages/onlyfans/{conversation.id}/panel", headers=HTMX).text


def _pay(fan: Fan, kind: str, cents: int, number: int = 0) -> None:
    with transaction():
        db.session.add(
            Transaction(
                account_id=fan.account_id,
                fan_id=fan.id,
                platform_id=f"{kind}-{number}",
                type=kind,
                gross_cents=cents,
                net_cents=cents * 8 // 10,
                received_at=now() - timedelta(days=number),
            )
        )


def test_it_sums_what_was_paid_by_type(sign_in: SignIn, ada: User, fan: Fan, conversation: Conversation) -> None:
    for number in range(11):
        _pay(fan, "tip", 100, number)
    _pay(fan, "subscription", 4999)
    text = _panel(sign_in(ada), conversation)
    assert text.index("Subscriptions</dt><dd>$49.99") < text.index("Tips</dt><dd>$11</dd>")
    assert "and 2 earlier payments" in text
    assert "gross" in text


def test_notes_and_tags_are_kept(sign_in: SignIn, ada: User, fan: Fan, conversation: Conversation) -> None:
    data = {"notes": " Likes trams \r\n", "tags": "vip,  night  owl, vip ,,"}
    answer = post(sign_in(ada), f"/messages/onlyfans/{conversation.id}/panel", data)
    assert "Saved" in answer.text
    assert 'id="tags"' in answer.text
    db.session.refresh(fan)
    assert (fan.notes, fan.tags) == ("Likes trams", ["vip", "night owl"])


def test_one_field_alone_leaves_the_other(sign_in: SignIn, ada: User, fan: Fan, conversation: Conversation) -> None:
    client = sign_in(ada)
    path = f"/messages/onlyfans/{conversation.id}/panel"
    post(client, path, {"notes": "Kept", "tags": "vip"})
    post(client, path, {"tags": ""})
    db.session.refresh(fan)
    assert (fan.notes, fan.tags) == ("Kept", [])


@pytest.mark.parametrize(
    "data",
    [
        {"tags": ",".join(map(str, range(51)))},
        {"tags": "x" * 51},
        {"tags": "a\x01b"},
        {"notes": "x" * 10_001},
        {"notes": "a\x01b"},
    ],
)
def test_what_is_refused_comes_back(
    sign_in: SignIn, ada: User, fan: Fan, conversation: Conversation, data: dict[str, str]
) -> None:
    answer = post(sign_in(ada), f"/messages/onlyfans/{conversation.id}/panel", data)
    assert answer.status_code == 422
    assert 'class="bad"' in answer.text
    db.session.refresh(fan)
    assert (fan.notes, fan.tags) == ("", [])


def test_somebody_elses_fan_does_not_exist(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client = sign_in(ada)
    for conversation_id in (cast.eves_conversation.id, 999_999):
        assert client.get(f"/messages/onlyfans/{conversation_id}/panel").status_code == 404
        assert post(client, f"/messages/onlyfans/{conversation_id}/panel", {"notes": "x"}).status_code == 404


def test_it_works_without_any_script(sign_in: SignIn, ada: User, fan: Fan, conversation: Conversation) -> None:
    client = sign_in(ada)
    led_to = client.get(f"/messages/onlyfans/{conversation.id}/panel").location
    assert 'id="fan-notes"' in client.get(led_to).text
    answer = post(client, f"/messages/onlyfans/{conversation.id}/panel", {"notes": "By form"}, htmx=False)
    assert answer.status_code == 302
    db.session.refresh(fan)
    assert fan.notes == "By form"


@pytest.mark.browser
def test_it_opens_is_edited_and_stays_for_the_next_conversation(
    enter: Callable[..., Page], ada: User, cast: Cast
) -> None:
    first, second = cast.conversations[:2]
    page = enter(ada, f"/messages/onlyfans/{first.id}")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.click("#panel-toggle")
    expect(page.locator("#panel-title")).to_be_focused()
    page.fill("#fan-notes", "Sends postcards")
    page.keyboard.press("Tab")
    expect(page.locator("#kept")).to_have_text("Saved")
    expect(page.locator("#fan-tags")).to_be_focused()
    page.keyboard.type("friend, " + "x" * 60)
    page.click("#panel >> text=Save")
    expect(page.locator("#kept")).to_contain_text("at most 50 characters")
    page.fill("#fan-tags", "friend")
    page.click("#panel >> text=Save")
    expect(page.locator("#kept")).to_have_text("Saved")
    expect(page.locator("#tags")).to_contain_text("friend")
    page.click(f"#row-{second.id}")
    expect(page.locator("#panel")).to_contain_text("Uma Umbrella")
    page.reload()
    expect(page.locator("#panel")).to_contain_text("Uma Umbrella")
    page.locator("#panel-title").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#panel-toggle")).to_be_focused()
