"""What is read here is told to the platform: once, later, and again after a failure."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.accounts.connection import Keys
from app.accounts.models import Account, User
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.delivery import reading
from app.extensions import db
from app.gateways.answers import CallFailed
from app.messages import service as messages
from config import DEVELOPMENT_ENCRYPTION_KEY
from tests.support.cast import Cast
from tests.support.fake_platform import FakePlatform

pytestmark = pytest.mark.usefixtures("any_database")
KEYS = Keys(DEVELOPMENT_ENCRYPTION_KEY, "deployment-key")


@pytest.fixture
def fake() -> FakePlatform:
    """A platform that notes what it is told."""
    return FakePlatform()


def _unread(*conversations: Conversation) -> None:
    with transaction():
        for conversation in conversations:
            conversation.unread_count = 2


def _pass_time(minutes: int) -> None:
    with transaction():
        moved = Conversation.read_due_at.is_not(None)
        db.session.execute(update(Conversation).where(moved).values(read_due_at=now() - timedelta(minutes=minutes)))


def test_it_is_told_once(cast: Cast, ada: User, conversation: Conversation, fake: FakePlatform) -> None:
    _unread(conversation)
    messages.mark_read(ada, conversation.id)
    assert [reading.tell_once(fake, KEYS) for _ in range(2)] == [1, 0]
    assert fake.marked_read == [("acct_demo_ada", "1001")]


def test_what_was_read_before_is_not_told(ada: User, conversation: Conversation, fake: FakePlatform) -> None:
    messages.mark_read(ada, conversation.id)
    assert reading.tell_once(fake, KEYS) == 0


def test_a_failure_is_tried_again_later(ada: User, conversation: Conversation, fake: FakePlatform) -> None:
    _unread(conversation)
    messages.mark_read(ada, conversation.id)
    fake.refused_marks["1001"] = CallFailed("no answer")
    assert [reading.tell_once(fake, KEYS) for _ in range(2)] == [0, 0]
    fake.refused_marks.clear()
    assert reading.tell_once(fake, KEYS) == 0
    _pass_time(minutes=3)
    assert reading.tell_once(fake, KEYS) == 1


def test_a_chat_that_the_platform_does_not_know_is_let_be(
    ada: User, conversation: Conversation, fake: FakePlatform
) -> None:
    _unread(conversation)
    messages.mark_read(ada, conversation.id)
    fake.refused_marks["1001"] = CallFailed("no such chat", final=True)
    reading.tell_once(fake, KEYS)
    _pass_time(minutes=3)
    fake.refused_marks.clear()
    assert reading.tell_once(fake, KEYS) == 0


def test_a_new_message_waits_to_be_read(ada: User, conversation: Conversation, fake: FakePlatform) -> None:
    _unread(conversation)
    messages.mark_read(ada, conversation.id)
    _unread(conversation)
    assert reading.tell_once(fake, KEYS) == 0
    messages.mark_read(ada, conversation.id)
    assert reading.tell_once(fake, KEYS) == 1


def test_an_account_that_must_be_connected_again_waits(
    ada: User, account: Account, conversation: Conversation, fake: FakePlatform
) -> None:
    _unread(conversation)
    messages.mark_read(ada, conversation.id)
    with transaction():
        account.reconnect_since = now()
    assert reading.tell_once(fake, KEYS) == 0
    with transaction():
        account.reconnect_since = None
    assert reading.tell_once(fake, KEYS) == 1
