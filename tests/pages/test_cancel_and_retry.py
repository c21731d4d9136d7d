"""Second thoughts: cancel what waits, send what failed again, and what nobody knows about only after a question."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app import jobs
from app.accounts.models import User
from app.clock import now
from app.conversations.models import Conversation
from app.extensions import db
from app.messages.models import Message, Status
from tests.pages.conftest import SignIn, Write, post


def _after(message: Message) -> Message | None:
    return db.session.scalar(select(Message).where(Message.retry_of_id == message.id))


def test_what_waits_can_be_taken_back(sign_in: SignIn, ada: User, conversation: Conversation, write: Write) -> None:
    message = write(conversation, "Oops", status=Status.QUEUED)
    client = sign_in(ada)
    answer = post(client, f"/messages/{message.id}/cancel")
    assert "Canceled" in answer.text
    db.session.refresh(message)
    assert message.status == Status.CANCELED
    assert post(client, f"/messages/{message.id}/cancel").status_code == 409


def test_what_may_have_left_can_not(sign_in: SignIn, ada: User, conversation: Conversation, write: Write) -> None:
    sending = write(conversation, "Gone", status=Status.SENDING)
    unclear = write(conversation, "Perhaps", status=Status.QUEUED, first_unclear_at=now())
    client = sign_in(ada)
    assert "too late" in post(client, f"/messages/{sending.id}/cancel").text
    assert post(client, f"/messages/{unclear.id}/cancel").status_code == 409
    assert "/cancel" not in client.get(f"/messages/onlyfans/{conversation.id}").text


def test_a_failed_one_is_sent_again_as_a_new_one(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    failed = write(conversation, "Try me", minutes_ago=5, status=Status.FAILED, error="The fan has muted you")
    client = sign_in(ada)
    assert "Failed: The fan has muted you" in client.get(f"/messages/onlyfans/{conversation.id}").text
    answer = post(client, f"/messages/{failed.id}/retry")
    new = _after(failed)
    assert new is not None
    assert new.sqs_message_id is not None
    assert "Sent again below" in answer.text
    assert f'id="m-{new.id}"' in answer.text
    assert post(client, f"/messages/{failed.id}/retry").status_code == 409


def test_an_unknown_one_too(sign_in: SignIn, ada: User, conversation: Conversation, write: Write) -> None:
    unknown = write(conversation, "Did it?", status=Status.UNKNOWN)
    client = sign_in(ada)
    assert post(client, f"/messages/{unknown.id}/retry").status_code == 409
    assert post(client, f"/messages/{unknown.id}/send-again").status_code == 200
    assert _after(unknown) is not None


def test_an_unknown_one_can_be_looked_up(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write, redis_url: str
) -> None:
    unknown = write(conversation, "Did it?", status=Status.UNKNOWN, error="The connection broke")
    client = sign_in(ada)
    page = client.get(f"/messages/onlyfans/{conversation.id}").text
    assert "Nobody can tell whether this arrived. The connection broke" in page
    assert "Looking through the chat" in post(client, f"/messages/{unknown.id}/check").text
    assert jobs.queue(jobs.BACKGROUND, jobs.connect(redis_url)).jobs[0].args == [unknown.id]
    sent = write(conversation, "It did", status=Status.SENT)
    assert post(client, f"/messages/{sent.id}/check").status_code == 409


def test_it_works_without_any_script(sign_in: SignIn, ada: User, conversation: Conversation, write: Write) -> None:
    message = write(conversation, "Oops", status=Status.QUEUED)
    answer = post(sign_in(ada), f"/messages/{message.id}/cancel", htmx=False)
    assert answer.location == f"/messages/onlyfans/{conversation.id}"


def test_nobody_else_may(sign_in: SignIn, eve: User, conversation: Conversation, write: Write) -> None:
    message = write(conversation, "Mine", status=Status.FAILED)
    client = sign_in(eve)
    for verb in ("cancel", "retry", "send-again", "check"):
        assert post(client, f"/messages/{message.id}/{verb}").status_code == 404
        assert post(client, f"/messages/99999999999999999999/{verb}").status_code == 404


@pytest.mark.browser
def test_the_question_is_asked_first(
    enter: Callable[..., Page], ada: User, conversation: Conversation, write: Write
) -> None:
    unknown = write(conversation, "Did it?", status=Status.UNKNOWN)
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.click("text=Send again")
    expect(page.locator("#question")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#question")).to_be_hidden()
    assert _after(unknown) is None
    page.click("text=Send again")
    page.click("text=Yes, go on")
    expect(page.locator(".message.queued")).to_have_count(1)
    expect(page.locator(f"#m-{unknown.id}")).to_contain_text("Sent again below")


@pytest.mark.browser
def test_too_late_is_told_where_everybody_sees_it(
    enter: Callable[..., Page], ada: User, conversation: Conversation, write: Write
) -> None:
    message = write(conversation, "Oops", status=Status.QUEUED)
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    db.session.execute(db.text("UPDATE message SET status = 'sending'"))
    db.session.commit()
    page.click(f"#m-{message.id} >> text=Cancel")
    expect(page.locator("#notices")).to_contain_text("too late to cancel")
