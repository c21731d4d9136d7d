"""Reading messages: a thread page by page, counts and latency of one's own accounts."""

from datetime import UTC, timedelta, timezone

import pytest

from app.accounts.models import User
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.errors import NotFound
from app.extensions import db
from app.messages import queries, service
from app.messages.models import Message, Status
from app.messages.rules import Draft
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def thread(ada: User, conversation: Conversation) -> list[Message]:
    """Seven messages, oldest first; three of them of the very same moment."""
    moment = now() - timedelta(hours=1)
    messages = [service.send(ada, conversation.id, Draft(text=f"number {n}")) for n in range(7)]
    with transaction():
        for number, message in enumerate(messages):
            message.created_at = moment + timedelta(seconds=min(number, 4))
    return messages


def test_a_thread_comes_newest_first(cast: Cast, thread: list[Message], conversation: Conversation) -> None:
    assert queries.thread(cast.ada, conversation.id) == thread[::-1]
    assert queries.thread(cast.max, conversation.id, limit=2) == [thread[6], thread[5]]


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-8))], ids=["utc", "west"])
@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_miss_nothing_and_repeat_nothing(
    ada: User, thread: list[Message], conversation: Conversation, size: int, zone: timezone
) -> None:
    walked: list[Message] = []
    before = None
    while page := queries.thread(ada, conversation.id, before=before, limit=size):
        walked += page
        before = (page[-1].created_at.astimezone(zone), page[-1].id)
    assert walked == thread[::-1]


def test_a_thread_is_for_its_people_alone(cast: Cast, thread: list[Message], conversation: Conversation) -> None:
    for viewer, conversation_id in ((cast.eve, conversation.id), (cast.olga, conversation.id), (cast.ada, 999)):
        with pytest.raises(NotFound):
            queries.thread(viewer, conversation_id)


def test_a_thread_of_any_length_is_two_queries(ada: User, thread: list[Message], conversation: Conversation) -> None:
    with count_queries() as statements:
        queries.thread(ada, conversation.id)
    assert len(statements) == 2


def test_counts_are_of_ones_own_accounts_and_leave_out_what_was_retried(cast: Cast, thread: list[Message]) -> None:
    statuses = [Status.SENDING, Status.FAILED, Status.FAILED, Status.SENT, Status.SCHEDULED, Status.CANCELED]
    with transaction():
        for message, status in zip(thread, statuses, strict=False):
            message.status = status
    service.retry(cast.ada, thread[1].id)
    for viewer in (cast.ada, cast.max):
        assert queries.counts(viewer) == {"queued": 2, "sending": 1, "failed": 1}
    for stranger in (cast.eve, cast.olga, cast.bea):
        assert queries.counts(stranger) == {"queued": 0, "sending": 0, "failed": 0}


def test_latency_is_the_mean_from_queued_to_sent_of_the_last_hour(cast: Cast, thread: list[Message]) -> None:
    assert queries.recent_latency(cast.ada) == (None, None)
    last = now()
    with transaction():
        for message, took in zip(thread[:2], (1.0, 2.5), strict=True):
            message.status, message.sent_at = Status.SENT, last
            message.queued_at = last - timedelta(seconds=took)
        thread[2].status, thread[2].sent_at = Status.SENT, last - timedelta(hours=2)
        thread[2].queued_at = last - timedelta(hours=3)
    assert queries.recent_latency(cast.ada) == (1750, last)
    assert queries.recent_latency(cast.eve) == (None, None)


def test_some_messages_of_a_conversation_for_its_people_alone(cast: Cast, thread: list[Message]) -> None:
    ids = [thread[0].id, thread[3].id, 999]
    conversation_id = cast.conversations[0].id
    assert {message.id for message in queries.some(cast.max, conversation_id, ids)} == set(ids[:2])
    assert queries.some(cast.eve, conversation_id, ids) == []
    assert queries.some(cast.ada, cast.conversations[1].id, ids) == []
    assert queries.some(cast.ada, conversation_id, []) == []


def test_the_line_is_what_waits_and_ends_with_the_last_to_go(cast: Cast, thread: list[Message]) -> None:
    waiting, last = queries.line(cast.account.id)
    assert waiting == 7
    assert last is thread[6]
    with transaction():
        thread[6].held = True
        thread[5].status = Status.SENT
    db.session.expire_all()
    assert queries.line(cast.account.id) == (5, thread[4])
    assert queries.line(cast.eves_account.id) == (0, None)
