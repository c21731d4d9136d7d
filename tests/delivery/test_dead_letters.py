"""Dead letters: each is read for what it is, shown without its text, and given its other chance once."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.db import transaction
from app.delivery import dead_letters as room
from app.delivery import tickets
from app.delivery.dead_letters import DeadLetter, Kind, Redriven
from app.delivery.desk import Desk
from app.delivery.relay import Relay
from app.errors import Conflict, NotAllowed, NotFound, Unavailable
from app.extensions import db
from app.messages import erasure, outcomes, service
from app.messages.models import Message
from app.messages.outcomes import Failed
from tests.delivery.queues import UnrulyQueue, drain, put
from tests.messages import line
from tests.support.cast import Cast

SECRET_TEXT = "Only for one pair of eyes"


@pytest.fixture
def desk(app: Flask, queue: UnrulyQueue, dead_letters: UnrulyQueue) -> Desk:
    """A desk with both queues."""
    found: Desk = app.extensions["desk"]
    found.queue, found.dead_letters = queue, dead_letters
    found.relay.queue = queue
    return found


def _failed(cast: Cast, number: int = 0) -> Message:
    message = line.queue(cast.ada, cast.conversations[number], SECRET_TEXT)
    outcomes.record([(line.must_claim(cast.account), Failed("The fan has left", "GONE", 403))])
    return line.fresh(message)


def _foreign(message_id: str, account_id: int) -> str:
    body = {"messageId": message_id, "userId": 1, "accountId": account_id, "recipientId": "1001", "timestamp": "now"}
    return json.dumps(body | {"content": SECRET_TEXT})


def _bury(queue: UnrulyQueue, body: str, reason: str) -> None:
    queue.send([tickets.dead(body, reason)])


def _one(desk: Desk) -> DeadLetter:
    (letter,) = room.look(desk, None)
    return letter


def _new_of(message: Message) -> Message | None:
    return db.session.scalar(select(Message).where(Message.retry_of_id == message.id))


def test_each_letter_is_read_for_what_it_is(cast: Cast, desk: Desk, relay: Relay, dead_letters: UnrulyQueue) -> None:
    failed, erased = _failed(cast), _failed(cast, 1)
    relay.bury_once()
    erasure.erase_fan(cast.ada, erased.fan_id, timedelta(0))
    _bury(dead_letters, _foreign("theirs-1", 99), "Account not found")
    put(dead_letters, "no json", _foreign("theirs-2", 99))
    found = {(letter.message_id, letter.reason): letter for letter in room.look(desk, cast.olga)}
    assert {key: letter.kind for key, letter in found.items()} == {
        (failed.public_id, "The fan has left"): Kind.FAILED,
        (erased.public_id, "The fan has left"): Kind.SETTLED,
        ("theirs-1", "Account not found"): Kind.WITHOUT_ROW,
        ("theirs-2", room.NO_REASON): Kind.WITHOUT_ROW,
        (None, room.NO_REASON): Kind.WITHOUT_ROW,
    }
    assert SECRET_TEXT not in repr(found)
    assert room.count_without_row(desk) == 3
    assert dead_letters.depth().visible == 5


def test_the_letter_of_a_failed_message_is_a_retry_once(
    cast: Cast, desk: Desk, relay: Relay, queue: UnrulyQueue, dead_letters: UnrulyQueue
) -> None:
    failed = _failed(cast)
    relay.bury_once()
    letter = _one(desk)
    assert room.redrive(desk, cast.olga, letter.id) is Kind.FAILED
    new = _new_of(failed)
    assert new is not None
    assert (new.status, new.text, new.author_id) == ("queued", SECRET_TEXT, cast.ada.id)
    assert [body["messageId"] for body in drain(queue)] == [new.public_id]
    with pytest.raises(NotFound):
        room.redrive(desk, cast.olga, letter.id)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "dead_letter.retried")).one()
    assert (event.user_id, event.account_id, event.details) == (
        cast.olga.id,
        cast.account.id,
        {"message_id": failed.public_id},
    )


def test_a_letter_that_was_settled_meanwhile_is_dropped_with_a_word(
    cast: Cast, desk: Desk, relay: Relay, dead_letters: UnrulyQueue
) -> None:
    failed = _failed(cast)
    relay.bury_once()
    service.retry(cast.ada, failed.id)
    letter = _one(desk)
    assert letter.kind is Kind.SETTLED
    with pytest.raises(Conflict):
        room.redrive(desk, cast.olga, letter.id)
    assert room.look(desk, cast.olga) == []


def test_a_ticket_without_a_row_is_on_the_queue_as_it_came(
    cast: Cast, desk: Desk, queue: UnrulyQueue, dead_letters: UnrulyQueue
) -> None:
    theirs = _foreign("theirs", cast.account.id)
    _bury(dead_letters, theirs, "Account not found")
    assert room.redrive(desk, None, _one(desk).id) is Kind.WITHOUT_ROW
    assert drain(queue) == [json.loads(theirs)]
    assert dead_letters.depth().visible == 0


def test_all_go_their_way_once_however_often_they_come_back(
    cast: Cast, desk: Desk, relay: Relay, queue: UnrulyQueue, dead_letters: UnrulyQueue
) -> None:
    failed, retried, fan_without_id = _failed(cast), _failed(cast, 1), _failed(cast, 2)
    relay.bury_once()
    service.retry(cast.ada, retried.id)
    with transaction():
        cast.fans[2].platform_id = None
    put(dead_letters, *("no json" for _ in range(12)))
    assert room.redrive_all(desk, cast.olga) == Redriven(retried=1, returned=12, dropped=1, refused=1)
    assert _new_of(failed) is not None
    assert queue.depth().visible == 13
    assert [letter.message_id for letter in room.look(desk, None)] == [fan_without_id.public_id]
    assert room.redrive_all(desk, cast.olga) == Redriven(retried=0, returned=0, dropped=0, refused=1)


def test_only_operators_look_and_redrive(cast: Cast, desk: Desk, dead_letters: UnrulyQueue) -> None:
    put(dead_letters, "no json")
    for viewer in (cast.ada, cast.max):
        with pytest.raises(NotAllowed):
            room.look(desk, viewer)
        with pytest.raises(NotAllowed):
            room.redrive_all(desk, viewer)
    assert dead_letters.depth().visible == 1


def test_a_queue_that_is_away_is_said_and_nothing_is_lost(
    cast: Cast, desk: Desk, relay: Relay, queue: UnrulyQueue, dead_letters: UnrulyQueue
) -> None:
    put(dead_letters, "no json")
    queue.away = True
    with pytest.raises(Unavailable):
        room.redrive_all(desk, None)
    assert dead_letters.depth().visible == 1
    dead_letters.away = True
    with pytest.raises(Unavailable):
        room.look(desk, None)
    desk.dead_letters = None
    with pytest.raises(Unavailable):
        room.look(desk, None)
