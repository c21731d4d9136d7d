"""Visitors of the pages: signing in, and threads with something in them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from werkzeug.test import TestResponse

from app.accounts.models import User
from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status
from app.messages.service import new_public_id
from tests.support.cast import PASSWORD, Cast

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HTMX = {"HX-Request": "true"}
Send = Callable[..., TestResponse]
SignIn = Callable[[User], FlaskClient]
Write = Callable[..., Message]


def csrf_token(client: FlaskClient, path: str = "/login") -> str:
    """The token that the page at `path` gives its forms."""
    found = TOKEN.search(client.get(path).text)
    assert found is not None
    return found[1]


def sign_in_with(client: FlaskClient, email: str, password: str = PASSWORD, following: str = "") -> TestResponse:
    """What the sign-in form does."""
    form = {"csrf_token": csrf_token(client), "email": email, "password": password}
    return client.post(f"/login{following}", data=form)


def post(client: FlaskClient, path: str, data: dict[str, str] | None = None, htmx: bool = True) -> TestResponse:
    """A POST as the signed-in person's browser makes it: with its token."""
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/messages/onlyfans").text)
    assert token is not None
    headers = {"X-CSRFToken": token[1], **(HTMX if htmx else {})}
    return client.post(path, data=data or {}, headers=headers)


def look(page: Page) -> None:
    """Poll now instead of waiting for the next five seconds to pass."""
    with page.expect_response("**/live?**"):
        page.evaluate("htmx.trigger('#pulse', 'look')")


@pytest.fixture
def sign_in(make_client: Callable[[], FlaskClient]) -> SignIn:
    """`sign_in(ada)`: a client of somebody who is signed in."""

    def enter(user: User) -> FlaskClient:
        client = make_client()
        assert sign_in_with(client, user.email).status_code == 302
        return client

    return enter


@pytest.fixture
def write() -> Write:
    """`write(conversation, "Hi", minutes_ago=3)`: a message from the fan; `status=Status.FAILED`: one of ours."""

    def add(
        conversation: Conversation, text: str, minutes_ago: float = 0, status: Status = Status.RECEIVED, **more: object
    ) -> Message:
        moment = now() - timedelta(minutes=minutes_ago)
        direction = "in" if status == Status.RECEIVED else "out"
        message = Message(
            public_id=new_public_id(),
            account_id=conversation.account_id,
            conversation_id=conversation.id,
            fan_id=conversation.fan_id,
            direction=direction,
            status=status,
            text=text,
            created_at=moment,
            due_at=moment,
            **more,
        )
        with transaction():
            db.session.add(message)
            conversations.touch(conversation.id, text, moment, direction)
            if status == Status.RECEIVED:
                db.session.get_one(Conversation, conversation.id, populate_existing=True).unread_count += 1
        return message

    return add


def crowd(cast: Cast, size: int, write: Write) -> None:
    """Give Ada `size` more fans who have written, the newest first."""
    with transaction():
        for number in range(size):
            fan = Fan(account_id=cast.account.id, platform_id=f"77{number}", name=f"Crowd {number}")
            db.session.add(fan)
            db.session.flush()
            conversation = Conversation(account_id=cast.account.id, fan_id=fan.id)
            db.session.add(conversation)
            db.session.flush()
            write(conversation, "Hi", minutes_ago=number)


@pytest.fixture
def enter(live_server: str, page: Page) -> Callable[[User, str], Page]:
    """`enter(ada, "/messages/onlyfans")`: a browser of somebody who is signed in, on that page."""

    def go(user: User, path: str = "/messages/onlyfans") -> Page:
        page.goto(f"{live_server}/login?next={path}")
        page.fill("#email", user.email)
        page.fill("#password", PASSWORD)
        page.click("text=Sign in >> nth=-1")
        page.wait_for_url(f"{live_server}{path}")
        return page

    return go
