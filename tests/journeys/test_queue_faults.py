"""The queue loses, doubles, shuffles and garbles tickets, or is gone: messages are delivered once all the same."""

import json
from typing import Any

import pytest

from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until

# Of five tickets: a look that had begun before the workers were paused may take the first ones.
LEFT = 3
GARBAGE = ["not JSON", "[1, 2]", "{}", '{"messageId": 7, "userId": "x"}']


def test_tickets_that_got_lost_are_published_again(house: House, author: Author) -> None:
    with house.paused_workers():
        author.write_many(5)
        assert len(house.parts.drain(house.parts.endpoint.queue_url)) >= LEFT
    until(lambda: _hurried(house, author), author.story)
    assert audit(author)["calls"] == 5


@pytest.mark.slow
def test_a_queue_that_is_deleted_and_made_anew_delivers_again(house: House, author: Author) -> None:
    with house.paused_workers():
        author.write_many(5)
        house.parts.delete_queue()
    house.parts.create_queue()
    until(lambda: _hurried(house, author), author.story)
    author.write("By the new queue")
    author.wait("sent")
    assert author.messages()[-1].sqs_message_id
    assert audit(author)["calls"] == 6


def test_without_the_queue_messages_are_accepted_and_handed_over(house: House, author: Author) -> None:
    house.parts.sqs.stop()
    author.write_many(3)
    assert not author.messages()[0].sqs_message_id
    author.wait("sent")
    house.parts.start()
    assert audit(author)["calls"] == 3


def test_tickets_that_come_twice_and_in_any_order_deliver_once_and_in_order(house: House, author: Author) -> None:
    with house.paused_workers():
        author.write_many(5)
        bodies = house.parts.drain(house.parts.endpoint.queue_url)
        assert len(bodies) >= LEFT
        house.parts.send(*reversed(bodies), *bodies)
    author.wait("sent")
    assert audit(author)["calls"] == 5
    house.parts.send(*bodies)
    author.write("After the last of them")
    author.wait("sent")
    assert audit(author)["calls"] == 6


def test_what_nobody_understands_is_laid_aside_and_the_rest_flows(house: House, author: Author) -> None:
    stranger = house.author()
    wrong = [_ticket(author, "lacks-content", content=None), _ticket(author, "unknown-account", accountId=10**9)]
    wrong += [_ticket(author, "not-theirs", accountId=stranger.account_id), _ticket(author, "nobody", userId=10**9)]
    wrong += [_ticket(author, "odd-priority", priority="urgent"), _ticket(author, "bad-url", mediaUrls=["file:///x"])]
    house.parts.send(*GARBAGE, *map(json.dumps, wrong))
    author.write("Flows on")
    author.wait("sent")
    for name in ("lacks-content", "unknown-account", "not-theirs", "nobody", "odd-priority", "bad-url", "not JSON"):
        letters = until(lambda name=name: house.dead_letters(name), f"the dead letter of {name}")  # type: ignore[misc]
        assert [bool(letter["reason"]) for letter in letters] == [True]
    assert len(author.messages()) == 1
    assert stranger.messages() == []


def test_another_systems_ticket_becomes_a_message_and_arrives_once(house: House, author: Author) -> None:
    ticket = json.dumps(_ticket(author, "order-20261101-1", priority="low"))
    house.parts.send(ticket, ticket)
    message = until(author.messages, "its row")[0]
    author.wait("sent")
    house.parts.send(ticket)
    author.write("After it")
    author.wait("sent")
    assert message.public_id == "order-20261101-1"
    assert audit(author)["calls"] == 2


def _ticket(author: Author, message_id: str, **changes: Any) -> dict[str, Any]:
    whole = {
        "messageId": message_id,
        "userId": author.user_id,
        "accountId": author.account_id,
        "recipientId": "1001",
        "content": "From another system",
        "timestamp": "2026-11-01T12:00:00Z",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def _hurried(house: House, author: Author) -> bool:
    house.hurry()
    return set(author.statuses()) == {"sent"}
