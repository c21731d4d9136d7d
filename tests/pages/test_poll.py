"""The poll: nothing new costs one query, news reach the page, and nothing that the reader does is disturbed."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.accounts.models import Account, User
from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import transaction
from app.delivery import heartbeat, stop
from app.extensions import db
from app.messages.models import Message, Status
from tests.pages.conftest import HTMX, SignIn, Write, look, post
from tests.support.cast import Cast
from tests.support.queries import count_queries

POLL = {**HTMX, "X-Poll": "1"}


def _address(page: str) -> str:
    found = re.search(r'hx-get="/messages/onlyfans/live([^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def _poll(client: FlaskClient, address: str, **more: str) -> TestResponse:
    extra = "".join(f"&{name}={quote(value)}" for name, value in more.items())
    return client.get(f"/messages/onlyfans/live{address}{extra}", headers=POLL)


def _watch(client: FlaskClient, conversation: Conversation) -> str:
    return _address(client.get(f"/messages/onlyfans/{conversation.id}").text)


def _change(message: Message, **values: object) -> None:
    with transaction():
        db.session.execute(update(Message).where(Message.id == message.id).values(**values))
        conversations.changed([message.conversation_id])


def test_nothing_new_costs_one_query_the_session_included(
    any_database: str, sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Hello")
    client = sign_in(ada)
    address = _watch(client, conversation)
    with count_queries() as statements:
        answer = _poll(client, address)
    assert (answer.status_code, answer.data) == (204, b"")
    assert len(statements) == 1


def test_the_one_query_reads_indexes_only(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    address = _watch(client, conversation)
    with count_queries() as statements:
        _poll(client, address)
    named = [f":p{number}" for number in range(statements[-1].count("?"))]
    pulse = statements[-1].replace("?", "{}").format(*named)
    values = {name.lstrip(":"): 1 for name in named}
    plan = db.session.execute(db.text(f"EXPLAIN QUERY PLAN {pulse}"), values).all()
    steps = [row.detail for row in plan]
    assert [step for step in steps if step.startswith("SCAN") and "anon" not in step and "CONSTANT" not in step] == []
    assert any("ix_message_line" in step for step in steps)
    assert any("login_session_token_hash" in step or "autoindex_login_session" in step for step in steps)
    assert any("ix_conversation_newest" in step for step in steps)


def test_a_new_message_is_shown(sign_in: SignIn, ada: User, conversation: Conversation, write: Write) -> None:
    client = sign_in(ada)
    address = _watch(client, conversation)
    message = write(conversation, "Surprise")
    answer = _poll(client, address)
    assert answer.status_code == 200
    assert f'id="m-{message.id}"' in answer.text
    assert f'id="c-{conversation.id}"' in answer.text
    assert "(1) Tom Tester" in answer.text
    assert "<html" not in answer.text
    assert _poll(client, _address(answer.text)).status_code == 204


def test_a_new_message_elsewhere_changes_the_list_only(sign_in: SignIn, ada: User, cast: Cast, write: Write) -> None:
    client = sign_in(ada)
    address = _watch(client, cast.conversations[0])
    write(cast.conversations[1], "Over here")
    answer = _poll(client, address)
    assert "Over here" in answer.text
    assert 'class="message' not in answer.text


def test_every_state_is_told(sign_in: SignIn, ada: User, conversation: Conversation, write: Write) -> None:
    message = write(conversation, "Hi", status=Status.QUEUED)
    client = sign_in(ada)
    address = _watch(client, conversation)
    for values, words in (
        ({"status": Status.SENDING}, "Sending…"),
        ({"status": Status.SENT, "sent_at": now()}, 'title="Sent'),
        ({"status": Status.FAILED, "error": "Blocked by this fan"}, "Failed: Blocked by this fan"),
        ({"status": Status.UNKNOWN}, "Nobody can tell whether this arrived"),
        ({"status": Status.CANCELED}, "Canceled"),
    ):
        _change(message, **values)
        assert words in _poll(client, address).text


def test_a_later_message_tells_when_it_goes(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Tomorrow", status=Status.SCHEDULED, minutes_ago=-60 * 24)
    assert "Scheduled for" in sign_in(ada).get(f"/messages/onlyfans/{conversation.id}").text


def test_an_unfinished_one_far_above_is_told_too(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    old = write(conversation, "Old", minutes_ago=500, status=Status.SCHEDULED)
    for number in range(45):
        write(conversation, f"number {number}", minutes_ago=100 - number)
    client = sign_in(ada)
    address = _watch(client, conversation)
    _change(old, status=Status.CANCELED)
    assert f'id="m-{old.id}"' not in _poll(client, address).text
    assert f'id="m-{old.id}"' in _poll(client, address, open=str(old.id)).text


def test_after_a_long_absence_the_thread_has_no_hole(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    last_seen = write(conversation, "Before", minutes_ago=100)
    client = sign_in(ada)
    address = _watch(client, conversation)
    for number in range(30):
        write(conversation, f"number {number}", minutes_ago=60 - number)
    assert 'hx-swap-oob="innerHTML"' not in _poll(client, address, newest=str(last_seen.id)).text
    for number in range(30):
        write(conversation, f"another {number}", minutes_ago=30 - number)
    answer = _poll(client, address, newest=str(last_seen.id)).text
    assert 'hx-swap-oob="innerHTML"' in answer
    assert f'id="older-{conversation.id}"' in answer


def test_waiting_messages_are_looked_at_again_by_time(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Hi", status=Status.QUEUED)
    client = sign_in(ada)
    address = _watch(client, conversation)
    assert _poll(client, address).status_code == 204
    with time_machine.travel(now() + timedelta(seconds=11)):
        answer = _poll(client, address)
    assert answer.status_code == 200
    assert "1 waiting" in answer.text


def test_a_stop_of_the_account_is_told(
    sign_in: SignIn, ada: User, account: Account, conversation: Conversation
) -> None:
    client = sign_in(ada)
    address = _watch(client, conversation)
    with transaction():
        db.session.execute(update(Account).where(Account.id == account.id).values(stopped_at=now()))
    assert "Sending is stopped for this account" in _poll(client, address).text


def test_the_stop_for_everybody_is_told_at_once(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    address = _watch(client, conversation)
    stop.set_stop(None)
    answer = _poll(client, address).text
    assert "Sending is stopped for everybody" in answer
    stop.clear_stop(None)
    assert "Sending is stopped" not in _poll(client, _address(answer)).text


def test_a_worker_that_comes_is_told_at_once(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    address = _watch(client, conversation)
    heartbeat.beat("one", "delivery")
    answer = _poll(client, address).text
    assert 'id="standstill"' in answer
    assert "No worker is running" not in answer


def test_the_filter_holds_while_polling(sign_in: SignIn, ada: User, cast: Cast, write: Write) -> None:
    client = sign_in(ada)
    address = _watch(client, cast.conversations[0])
    write(cast.conversations[1], "From Uma")
    write(cast.conversations[2], "From Vic")
    answer = _poll(client, address, q="uma").text
    assert "From Uma" in answer
    assert "From Vic" not in answer


def test_reading_elsewhere_reaches_the_list(
    sign_in: SignIn, ada: User, max: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Hello")
    client = sign_in(ada)
    address = _watch(client, conversation)
    post(sign_in(max), f"/messages/onlyfans/{conversation.id}/read")
    assert f'id="c-{conversation.id}" class="row"' in _poll(client, address).text


@pytest.mark.browser
def test_it_rests_while_nobody_looks(enter: Callable[..., Page], ada: User, conversation: Conversation) -> None:
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert asked == []
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    assert len(asked) == 1


@pytest.mark.browser
def test_news_wait_below_for_whoever_reads_above(
    enter: Callable[..., Page], ada: User, conversation: Conversation, write: Write
) -> None:
    for number in range(39):
        write(conversation, f"number {number}.", minutes_ago=200 - number)
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    expect(page.locator("#rows .unread")).to_have_count(0)
    mark = page.locator(".message", has_text="number 5.")
    mark.evaluate("element => element.scrollIntoView({block: 'start'})")
    top = "element => element.getBoundingClientRect().top"
    before = mark.evaluate(top)
    write(conversation, "Are you asleep?")
    look(page)
    expect(page.locator("#new-messages")).to_be_visible()
    assert abs(mark.evaluate(top) - before) < 2
    expect(page.locator("#announcer")).to_have_text("New message from Tom Tester")
    page.click("#new-messages")
    expect(page.locator("text=Are you asleep?").last).to_be_in_viewport()
    expect(page.locator("#new-messages")).to_be_hidden()
    write(conversation, "Ah, there you are")
    look(page)
    expect(page.locator(".message", has_text="Ah, there")).to_be_in_viewport()
    expect(page.locator("#new-messages")).to_be_hidden()


@pytest.mark.browser
def test_a_bubble_changes_its_state_and_the_selection_stays(
    enter: Callable[..., Page], ada: User, cast: Cast, write: Write
) -> None:
    conversation = cast.conversations[0]
    write(conversation, "Select me", minutes_ago=2)
    message = write(conversation, "On its way", status=Status.QUEUED)
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    expect(page.locator(f"#m-{message.id}")).to_contain_text("Queued")
    page.locator(".message .text", has_text="Select me").dblclick()
    _change(message, status=Status.SENT, sent_at=now())
    write(cast.conversations[1], "I come first now")
    expect(page.locator(f"#m-{message.id}.sent")).to_be_visible(timeout=8000)
    assert page.evaluate("getSelection().toString().trim()") in ("Select", "me")
    expect(page.locator("#rows .row").first).to_contain_text("I come first now")
    expect(page).to_have_title("(1) Tom Tester · Messages · Huntaze")
