"""What happens on the platform arrives, signed webhook by webhook, while messages go the other way."""

import time
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from sqlalchemy import select

from app.conversations.models import Conversation
from app.extensions import db
from app.messages.models import Message
from embedded.platform.post import ALL_EVENTS
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until


@pytest.fixture
def hearing(house: House) -> Iterator[House]:
    """A house whose web process hears everything that the platform tells, some of it twice and some late."""
    with house.web() as web:
        url = urljoin(str(web.base_url), "/api/onlyfans/webhooks")
        house.sim.tell("/settings", {"doubled_webhooks": 0.3, "late_webhooks": 0.1})
        webhook = house.sim.sdk.webhooks.create(account_scope="global", endpoint_url=url, events=list(ALL_EVENTS))
        yield house
        assert webhook.data is not None
        house.sim.sdk.webhooks.delete(str(webhook.data.id))


def incoming(author: Author) -> list[Message]:
    """What fans wrote, as the database has it."""
    with author.app.app_context():
        query = select(Message).where(Message.account_id == author.account_id, Message.direction == "in")
        return list(db.session.scalars(query.order_by(Message.id)))


def test_words_go_both_ways_and_nothing_is_there_twice(hearing: House) -> None:
    author = hearing.author()
    for number in range(3):
        author.write(f"Hello {number}", to="7001")
        word = {"account": author.platform_id, "chat": "7001", "text": f"Tea & cake {number}", "from": "fan"}
        hearing.sim.tell("/messages", word)
    author.wait("sent")
    until(lambda: len(incoming(author)) == 3, author.story)
    assert audit(author)["calls"] == 3
    # The platform tells times in whole seconds: within the same one, nobody could say which words came last.
    time.sleep(1.1)
    phone = {"account": author.platform_id, "chat": "7001", "text": "From the phone", "from": "creator"}
    hearing.sim.tell("/messages", phone)
    until(lambda: "From the phone" in [message.text for message in author.messages()], author.story)
    assert [message.text for message in author.messages()] == ["Hello 0", "Hello 1", "Hello 2", "From the phone"]
    assert {message.text for message in incoming(author)} == {f"Tea & cake {number}" for number in range(3)}
    with author.app.app_context():
        thread = db.session.scalars(select(Conversation).where(Conversation.account_id == author.account_id)).one()
        assert (thread.unread_count, thread.last_message) == (3, "From the phone")


def test_a_send_whose_answer_was_lost_is_settled_by_its_echo(hearing: House) -> None:
    author = hearing.author()
    author.fault("status", call="list_messages", status=500)
    author.fault("reset_after_delivery", times=1)
    public_id = author.write("Did you get this?", to="7002")
    message = author.wait_for(public_id, "sent")
    assert message.platform_message_id == str(author.entries()[0]["message_id"])
    assert audit(author)["calls"] == 1


def test_a_login_that_ends_in_a_backlog_stops_it_until_it_is_good_again(hearing: House) -> None:
    author = hearing.author()
    hearing.sim.tell("/settings", {"late_webhooks": 0})
    hearing.sim.tell("/accounts", {"id": author.platform_id, "is_authenticated": True})
    author.write_many(8, fans=4)
    hearing.sim.tell("/accounts", {"id": author.platform_id, "is_authenticated": False})
    until(lambda: author.account().reconnect_since is not None, author.story)
    hearing.sim.tell("/accounts", {"id": author.platform_id, "is_authenticated": True})
    # Half a minute before anybody would have looked by itself.
    until(lambda: author.account().reconnect_since is None, author.story)
    author.wait("sent")
