"""What the platform refuses: said with its reason, never tried in vain, and nobody else is held up."""

from sqlalchemy import select

from app.accounts import connection
from app.extensions import db
from app.fans.models import Fan
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until


def test_a_fan_who_cant_be_written_to_is_marked_and_the_others_get_theirs(house: House, author: Author) -> None:
    author.sim.tell("/fans", {"account": author.platform_id, "id": "1001", "can_send": False})
    refused = author.write("Are you there?", to="1001")
    author.write("Hello!", to="1002")
    author.wait_until_final()
    assert audit(author)["calls"] == 2
    assert author.statuses() == {"failed": 1, "sent": 1}
    assert "Cannot send message to this user" in (author.message(refused).error or "")
    with author.app.app_context():
        fans = db.session.scalars(select(Fan).where(Fan.account_id == author.account_id)).all()
        assert {fan.platform_id for fan in fans if fan.unreachable_at} == {"1001"}
    letters = until(lambda: house.dead_letters(refused), "its dead letter")
    assert [letter["reason"] for letter in letters] == [author.message(refused).error]


def test_an_account_that_is_refused_by_three_fans_in_a_row_pauses(author: Author) -> None:
    author.fault("status", status=403, code="FORBIDDEN", message="Not allowed", times=3)
    author.write_many(6, fans=6)
    until(lambda: author.account().reconnect_since, author.story)
    assert author.statuses()["failed"] == 3, author.story()
    with author.app.app_context():
        connection.reconnected([author.account_id])
    author.wait_until_final()
    audit(author)
    assert author.statuses() == {"failed": 3, "sent": 3}


def test_refusals_of_one_fan_alone_pause_nothing(author: Author) -> None:
    author.fault("status", status=404, code="NOT_FOUND", message="Chat not found.", chat="1001")
    author.write_many(4)
    author.write("Hello!", to="1002")
    author.wait_until_final()
    audit(author)
    assert author.statuses() == {"failed": 4, "sent": 1}
    assert author.account().reconnect_since is None


def test_a_key_used_for_another_body_stops_that_message_alone(house: House) -> None:
    clear, unclear = house.author(), house.author()
    clear.fault("mismatch", times=1)
    unclear.fault("status", status=500, times=1)
    stopped = [author.write("Who am I?") for author in (clear, unclear)]
    until(unclear.entries, unclear.story)
    unclear.fault("mismatch", times=1)
    assert clear.wait_for(stopped[0], "failed").error
    assert unclear.wait_for(stopped[1], "unknown").error
    for author in (clear, unclear):
        author.write("Hello!")
        author.wait_for(author.messages()[-1].public_id, "sent")
    assert audit(clear)["calls"] == 2
    assert audit(unclear)["calls"] == 3


def test_a_message_that_the_platform_finds_invalid_fails_with_its_words(author: Author) -> None:
    author.fault("status", status=422, code="VALIDATION_ERROR", message="The text holds a banned word.", times=1)
    author.write_many(2)
    author.wait_until_final()
    assert audit(author)["calls"] == 2
    assert [message.status for message in author.messages()] == ["failed", "sent"]
    assert author.messages()[0].error == "The text holds a banned word."
