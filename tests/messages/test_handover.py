"""The way onto SQS and back: published, received, handed over without it; and once to the dead letters."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import transaction
from app.extensions import db
from app.messages import handover
from app.messages.models import Message, Priority
from tests.messages import line
from tests.messages.line import change, fresh, must_claim, queue
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")
NEVER_PUBLISHED = timedelta(seconds=3)
NEVER_RECEIVED = timedelta(seconds=61)


@pytest.fixture
def message(cast: Cast) -> Message:
    """A message whose ticket nobody has seen yet."""
    return queue(cast.ada, cast.conversations[0], received=False)


def test_a_parcel_says_what_the_ticket_needs(cast: Cast) -> None:
    url = "https://cdn.example.com/a.jpg"
    written = queue(cast.ada, cast.conversations[1], "Look", priority=Priority.LOW, media=(url,))
    without_author = queue(cast.ada, cast.conversations[0])
    change(without_author, author_id=None, error="why")
    first, second = handover.parcels([without_author.id, written.id])
    assert (first.message_id, first.recipient, first.text, first.priority) == (written.id, "1002", "Look", 2)
    assert (first.author_id, first.account_id, first.attachments) == (
        cast.ada.id,
        cast.account.id,
        [{"type": "image", "url": url}],
    )
    assert (second.author_id, second.error) == (cast.ada.id, "why")


def test_the_relay_takes_what_the_door_left_behind(cast: Cast, message: Message) -> None:
    assert handover.claim_unpublished(10) == []
    line.pass_time(NEVER_PUBLISHED)
    assert handover.claim_unpublished(10) == [message.id]
    assert fresh(message).published_at is not None
    assert handover.claim_unpublished(10) == []
    handover.mark_unpublished([message.id])
    assert handover.claim_unpublished(10) == [message.id]


def test_of_many_that_were_published_at_once_each_gets_its_own_id(cast: Cast, message: Message) -> None:
    others = [queue(cast.ada, cast.conversations[number % 3], received=False) for number in range(4)]
    ids = {one.id: f"sqs-'{one.public_id}\"" for one in (*others[:3], message)}
    with count_queries() as statements:
        handover.mark_published(ids)
    assert sum("UPDATE" in statement for statement in statements) == 1
    assert {one.id: fresh(one).sqs_message_id for one in (*others, message)} == ids | {others[3].id: None}


def test_what_sqs_lost_is_published_again_and_what_was_received_never(cast: Cast, message: Message) -> None:
    handover.mark_published({message.id: "sqs-1"})
    fresh(message)
    assert message.sqs_message_id == "sqs-1"
    assert message.published_at is not None
    line.pass_time(timedelta(seconds=50))
    assert handover.claim_unpublished(10) == []
    line.pass_time(timedelta(seconds=11))
    assert handover.claim_unpublished(10) == [message.id]
    handover.mark_received([message.public_id])
    line.pass_time(timedelta(hours=5))
    assert handover.claim_unpublished(10) == []


def test_no_more_are_taken_than_asked_for_and_the_oldest_first(cast: Cast) -> None:
    messages = [queue(cast.ada, cast.conversations[0], received=False) for _ in range(3)]
    change(messages[2], queued_at=messages[0].queued_at - timedelta(hours=1) if messages[0].queued_at else None)
    line.pass_time(NEVER_PUBLISHED)
    assert handover.claim_unpublished(2) == sorted([messages[2].id, messages[0].id])


def test_only_what_is_queued_goes_onto_the_queue(message: Message) -> None:
    line.pass_time(NEVER_PUBLISHED)
    for status in ("scheduled", "sending", "sent", "failed", "canceled", "unknown"):
        change(message, status=status)
        assert handover.claim_unpublished(10) == []
        assert handover.hand_over(10) == []


def test_a_ticket_makes_its_row_known_once(cast: Cast, message: Message) -> None:
    known = handover.mark_received([message.public_id, "msg_of_another_system"])
    assert known == {message.public_id: cast.account.id}
    received_at = fresh(message).received_at
    assert received_at is not None
    assert handover.mark_received([message.public_id]) == known
    assert fresh(message).received_at == received_at
    must_claim(cast.account)


def test_without_sqs_rows_are_handed_over_as_they_are(cast: Cast, message: Message) -> None:
    assert handover.hand_over(10) == [cast.account.id]
    assert handover.hand_over(10) == []
    assert fresh(message).received_at is not None
    must_claim(cast.account)


def test_a_failed_message_gets_one_dead_letter(cast: Cast, message: Message) -> None:
    assert handover.claim_dead(10) == []
    change(message, status="failed")
    assert (handover.claim_dead(10), handover.claim_dead(10)) == ([message.id], [])
    handover.unclaim_dead([message.id])
    assert handover.claim_dead(10) == [message.id]
    handover.mark_dead([message.id])
    line.pass_time(timedelta(hours=1))
    assert handover.claim_dead(10) == []
    assert fresh(message).dead_lettered_at is not None


def test_a_dead_letter_whose_worker_has_gone_is_written_by_another(cast: Cast, message: Message) -> None:
    change(message, status="failed")
    handover.claim_dead(10)
    line.pass_time(timedelta(seconds=61))
    assert handover.claim_dead(10) == [message.id]


def test_nothing_to_write_down_is_written_down_at_once(cast: Cast) -> None:
    handover.mark_published({})
    handover.mark_unpublished([])
    handover.unclaim_dead([])
    handover.mark_dead([])
    with transaction():
        assert db.session.scalar(select(Message.id)) is None
