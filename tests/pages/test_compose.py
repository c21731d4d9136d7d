"""What else a message can be: with media and a price, urgent or not, for later; and what another person just wrote."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.accounts.models import User
from app.conversations.models import Conversation
from app.extensions import db
from app.messages.models import Message, Priority, Status
from tests.pages.conftest import SignIn, Write, look, post

KEY = "0123456789abcdef0123456789abcdef"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
PHOTO, FILM = "https://cdn.example.com/a.jpg", "https://cdn.example.com/b.mp4?x=1"


def _message() -> Message:
    return db.session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()


def _send(client: FlaskClient, conversation: Conversation, **data: str) -> str:
    answer = post(client, f"/messages/onlyfans/{conversation.id}/send", {"text": "Hi", "key": KEY, **data})
    return answer.text if answer.status_code == 422 else ""


def test_media_price_and_priority(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    media = f"{PHOTO}\r\n\r\n {FILM} "
    assert _send(sign_in(ada), conversation, media=media, price="$9.5", priority="low") == ""
    message = _message()
    assert message.attachments == [{"type": "image", "url": PHOTO}, {"type": "video", "url": FILM}]
    assert (message.price_cents, message.priority) == (950, Priority.LOW)


def test_later_is_meant_in_the_readers_time_zone(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    client.set_cookie("zone", "America/New_York")
    with time_machine.travel(NOON, tick=True):
        client = sign_in(ada)
        client.set_cookie("zone", "America/New_York")
        assert _send(client, conversation, send_at="2026-07-02T09:30") == ""
        assert "Scheduled for" in client.get(f"/messages/onlyfans/{conversation.id}").text
    message = _message()
    assert (message.status, message.due_at) == (Status.SCHEDULED, datetime(2026, 7, 2, 13, 30, tzinfo=UTC))


REFUSED = [
    ({"price": "12"}, "A price needs media"),
    ({"price": "2.99", "media": PHOTO}, "A price is $3 to $200"),
    ({"price": "200.01", "media": PHOTO}, "A price is $3 to $200"),
    ({"price": "lots", "media": PHOTO}, "an amount such as 12"),
    ({"media": "http://cdn.example.com/a.jpg"}, "https://"),
    ({"media": "\n".join([PHOTO] * 11)}, "At most 10 media"),
    ({"send_at": "2001-01-01T00:00"}, "in the future"),
    ({"send_at": "9999-12-31T23:59"}, "in the future, within a year"),
    ({"send_at": "0001-01-01T00:00"}, "The time to send it"),
    ({"send_at": "tomorrow"}, "The time to send it"),
    ({"priority": "urgent"}, "Not a valid choice"),
]


@pytest.mark.parametrize(("data", "reason"), REFUSED)
def test_nonsense_is_refused(
    sign_in: SignIn, ada: User, conversation: Conversation, data: dict[str, str], reason: str
) -> None:
    assert reason in _send(sign_in(ada), conversation, **data)
    assert db.session.scalar(select(Message.id)) is None


def test_another_persons_answer_is_told_before_sending(
    sign_in: SignIn, ada: User, max: User, conversation: Conversation, write: Write
) -> None:
    seen = write(conversation, "Question", minutes_ago=9)
    cursor = f"{int(seen.created_at.timestamp() * 1_000_000)}-{seen.id}"
    client = sign_in(ada)
    theirs = write(conversation, "Max was quicker", status=Status.SENT, author_id=max.id)
    path, data = f"/messages/onlyfans/{conversation.id}/send", {"text": "Hi", "key": KEY}
    refused = post(client, path, data | {"seen": cursor})
    assert refused.status_code == 422
    assert "Max Example answered at" in refused.text
    assert _message().id == theirs.id
    assert post(client, path, data | {"seen": refused.headers["X-Seen"]}).status_code == 200


def test_ones_own_answers_and_campaigns_are_no_surprise(
    sign_in: SignIn, ada: User, max: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Mine", status=Status.SENT, author_id=ada.id)
    write(conversation, "Taken back", status=Status.CANCELED, author_id=max.id)
    assert _send(sign_in(ada), conversation, seen="0-0") == ""


@pytest.mark.browser
def test_a_priced_set_goes_out_and_the_tools_are_empty_again(
    enter: Callable[..., Page], ada: User, conversation: Conversation
) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.click("summary[title='Media and price']")
    page.fill("#media", f"{PHOTO}\n{FILM}")
    page.fill("#price", "12")
    expect(page.locator("[data-value=media]")).to_have_text("2 links, $12")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("[data-value=media]")).to_have_text("2 links, $12")
    page.fill("#text", "A new set")
    page.keyboard.press("Enter")
    expect(page.locator(".message.queued .price")).to_contain_text("$12")
    expect(page.locator(".message.queued .attachment")).to_have_count(2)
    expect(page.locator("[data-value=media]")).to_be_empty()
    page.fill("#text", "Too cheap")
    page.click("summary[title='Media and price']")
    page.fill("#price", "12")
    page.focus("#text")
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_have_text("A price needs media.")
    expect(page.locator("#text")).to_have_value("Too cheap")
    expect(page.locator("#price")).to_have_value("12")


@pytest.mark.browser
def test_somebody_else_was_quicker(
    enter: Callable[..., Page], ada: User, max: User, conversation: Conversation, write: Write
) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    write(conversation, "From Max", status=Status.SENT, author_id=max.id)
    page.fill("#text", "From Ada")
    page.keyboard.press("Enter")
    expect(page.locator(".message.pending .state")).to_contain_text("Max Example answered at")
    expect(page.locator(".message", has_text="From Max")).to_be_visible()
    page.click("text=Send all the same")
    expect(page.locator(".message.queued .text")).to_have_text("From Ada")
    page.fill("#text", "half a thought")
    write(conversation, "Max again", status=Status.SENT, author_id=max.id)
    look(page)
    expect(page.locator("#others")).to_contain_text("Max Example answered at")
    expect(page.locator("#text")).to_have_value("half a thought")
    page.focus("#text")
    page.keyboard.press("Enter")
    expect(page.locator(".message.queued")).to_have_count(2)
    expect(page.locator("#others")).to_be_empty()
