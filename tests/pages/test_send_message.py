"""Sending from the page: queued at once, once, in order; what is refused comes back with its text and the reason."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from app.accounts.models import User
from app.conversations.models import Conversation
from app.extensions import db
from app.messages.models import Message, Status
from tests.pages.conftest import HTMX, SignIn, csrf_token, look, post
from tests.support.cast import Cast

KEY = "0123456789abcdef0123456789abcdef"


def _messages() -> list[Message]:
    return list(db.session.scalars(select(Message).order_by(Message.id)))


def test_it_is_queued_and_handed_over(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    answer = post(sign_in(ada), f"/messages/onlyfans/{conversation.id}/send", {"text": " Hello \r\n you ", "key": KEY})
    message = _messages()[0]
    assert answer.status_code == 200
    assert (message.text, message.status, message.author_id) == ("Hello \n you", Status.QUEUED, ada.id)
    assert message.sqs_message_id is not None
    assert f'id="m-{message.id}"' in answer.text
    assert "Queued" in answer.text


def test_a_press_that_arrives_twice_makes_one_message(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    path, data = f"/messages/onlyfans/{conversation.id}/send", {"text": "Once", "key": KEY}
    first, second = post(client, path, data), post(client, path, data)
    assert [message.text for message in _messages()] == ["Once"]
    assert (first.status_code, second.status_code) == (200, 200)


def test_presses_that_arrive_at_the_same_moment_make_one_message(
    any_database: str, app: Flask, sign_in: SignIn, ada: User, conversation: Conversation
) -> None:
    signed_in = sign_in(ada)
    page = f"/messages/onlyfans/{conversation.id}"
    headers = {**HTMX, "X-CSRFToken": csrf_token(signed_in, page)}
    cookie = signed_in.get_cookie("huntaze")
    assert cookie is not None

    def press(_turn: int) -> int:
        client = FlaskClient(app, Response)
        client.set_cookie("huntaze", cookie.value)
        return client.post(f"{page}/send", data={"text": "Once", "key": KEY}, headers=headers).status_code

    with ThreadPoolExecutor(8) as presses:
        assert set(presses.map(press, range(50))) == {200}
    assert [message.text for message in _messages()] == ["Once"]


def test_the_same_key_with_another_text_is_refused(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    path = f"/messages/onlyfans/{conversation.id}/send"
    post(client, path, {"text": "One", "key": KEY})
    answer = post(client, path, {"text": "Two", "key": KEY})
    assert answer.status_code == 422
    assert "out of date" in answer.text
    assert len(_messages()) == 1


REFUSED = {
    "": "Content is required",
    " \n ": "Content is required",
    "x" * 5001: "at most 5000 characters",
    "a\x00b": "control characters",
}


def test_what_no_way_in_accepts_is_refused_with_its_reason(
    sign_in: SignIn, ada: User, conversation: Conversation
) -> None:
    client = sign_in(ada)
    for text, reason in REFUSED.items():
        answer = post(client, f"/messages/onlyfans/{conversation.id}/send", {"text": text, "key": KEY})
        assert answer.status_code == 422
        assert reason in answer.text
    assert _messages() == []


def test_a_press_needs_a_key(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    for key in ("", "short", "x" * 65, "<script>alert(1)</script>", "ключ-ключ-ключ"):
        answer = post(client, f"/messages/onlyfans/{conversation.id}/send", {"text": "Hi", "key": key})
        assert answer.status_code == 422
    assert _messages() == []


def test_broken_bytes_are_no_error_of_ours(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    headers = {**HTMX, "X-CSRFToken": csrf_token(client, f"/messages/onlyfans/{conversation.id}")}
    kind = "application/x-www-form-urlencoded"
    path = f"/messages/onlyfans/{conversation.id}/send"
    for body in (b"text=%ff%fe&key=" + KEY.encode(), b"\xff\xfe", b"text=%ED%A0%80&key=" + KEY.encode()):
        assert client.post(path, data=body, content_type=kind, headers=headers).status_code in (200, 422)
    assert client.post(path, data=b"x", content_type="multipart/form-data", headers=headers).status_code == 422


def test_a_fan_whose_id_is_not_known_can_not_be_written_to(sign_in: SignIn, ada: User, cast: Cast) -> None:
    conversation = cast.conversations[-1]
    client = sign_in(ada)
    answer = post(client, f"/messages/onlyfans/{conversation.id}/send", {"text": "Hi", "key": KEY})
    assert answer.status_code == 422
    assert "platform id" in answer.text
    assert "can't be written to yet" in client.get(f"/messages/onlyfans/{conversation.id}").text


def test_somebody_elses_conversation_does_not_exist(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client, data = sign_in(ada), {"text": "Hi", "key": KEY}
    theirs = post(client, f"/messages/onlyfans/{cast.eves_conversation.id}/send", data)
    nobodys = post(client, "/messages/onlyfans/999999/send", data)
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.data == nobodys.data
    assert _messages() == []


def test_it_works_without_any_script(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    path = f"/messages/onlyfans/{conversation.id}"
    page = client.get(path).text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    data = {"csrf_token": csrf_token(client, path), "key": key[1], "text": "Plain old form"}
    assert client.post(f"{path}/send", data=data).location == path
    refused = client.post(f"{path}/send", data={**data, "text": "y" * 5001})
    assert refused.status_code == 422
    assert "y" * 5001 in refused.text
    assert "at most 5000 characters" in refused.text


@pytest.mark.browser
def test_the_bubble_stands_there_at_once(enter: Callable[..., Page], ada: User, conversation: Conversation) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    held: list[Route] = []
    page.route("**/send", lambda route: held.insert(0, route))
    page.focus("#text")
    page.keyboard.type("First line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    expect(page.locator(".message.pending .text")).to_have_text("First line\nsecond line")
    expect(page.locator("#text")).to_have_value("")
    page.keyboard.type("next")
    held.pop().continue_()
    expect(page.locator(".message.queued .text")).to_have_text("First line\nsecond line")
    expect(page.locator(".message.pending")).to_have_count(0)
    expect(page.locator("#text")).to_have_value("next")


@pytest.mark.browser
def test_twenty_quick_ones_keep_their_order(enter: Callable[..., Page], ada: User, conversation: Conversation) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    wanted = [f"Message {number}" for number in range(20)]
    page.focus("#text")
    for text in wanted:
        page.keyboard.insert_text(text)
        page.keyboard.press("Enter")
    expect(page.locator(".message.queued").first).to_be_visible()
    assert page.locator(".message .text").all_inner_texts() == wanted
    expect(page.locator(".message.queued")).to_have_count(20, timeout=30_000)
    assert page.locator(".message .text").all_inner_texts() == wanted
    db.session.expire_all()
    assert [message.text for message in _messages()] == wanted


@pytest.mark.browser
def test_those_behind_follow_into_another_conversation(enter: Callable[..., Page], ada: User, cast: Cast) -> None:
    first, second = cast.conversations[:2]
    page = enter(ada, f"/messages/onlyfans/{first.id}")
    held: list[Route] = []
    page.route("**/send", lambda route: held.insert(0, route))
    for text in ("One", "Two"):
        page.fill("#text", text)
        page.keyboard.press("Enter")
    page.click(f"#row-{second.id}")
    expect(page.locator("#thread-title")).to_have_text("Uma Umbrella")
    for text in ("One", "Two"):
        with page.expect_response("**/send") as answered:
            held.pop().continue_()
        assert text in answered.value.text()
        page.wait_for_timeout(300)
    assert page.locator(".message").count() == 0
    db.session.expire_all()
    wanted = [("One", first.id), ("Two", first.id)]
    assert [(message.text, message.conversation_id) for message in _messages()] == wanted


@pytest.mark.browser
def test_a_refused_one_comes_back_with_its_reason(
    enter: Callable[..., Page], ada: User, conversation: Conversation
) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.fill("#text", "z" * 5001)
    expect(page.locator("#count")).to_have_text("5,001 / 5,000")
    page.focus("#text")
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("at most 5000 characters")
    expect(page.locator("#text")).to_have_value("z" * 5001)
    expect(page.locator(".message.pending")).to_have_count(0)


@pytest.mark.browser
def test_without_a_connection_it_waits_and_is_sent_once(
    enter: Callable[..., Page], ada: User, conversation: Conversation
) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.route("**/send", lambda route: route.abort())
    page.fill("#text", "Are you there?")
    page.keyboard.press("Enter")
    expect(page.locator(".message.pending .state")).to_contain_text("no connection")
    page.unroute("**/send")
    page.click("text=Try again")
    expect(page.locator(".message.queued .text")).to_have_text("Are you there?")
    db.session.expire_all()
    assert len(_messages()) == 1


@pytest.mark.browser
def test_a_draft_survives_another_conversation_a_poll_and_a_reload(
    enter: Callable[..., Page], ada: User, cast: Cast
) -> None:
    first, second = cast.conversations[:2]
    page = enter(ada, f"/messages/onlyfans/{first.id}")
    page.fill("#text", "Not finished")
    page.click(f"#row-{second.id}")
    expect(page.locator("#text")).to_have_value("")
    page.click(f"#row-{first.id}")
    expect(page.locator("#text")).to_have_value("Not finished")
    page.reload()
    expect(page.locator("#text")).to_have_value("Not finished")
    page.focus("#text")
    page.evaluate("document.getElementById('text').setSelectionRange(4, 7)")
    look(page)
    expect(page.locator("#text")).to_be_focused()
    assert page.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [4, 7]
