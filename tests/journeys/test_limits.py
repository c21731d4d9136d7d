"""The limit, the gap and the order hold whatever the platform's answers and however many workers there are."""

import time

import pytest
from sqlalchemy import update

from app.accounts import operating
from app.accounts.models import Account
from app.messages.models import Message
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until

PAUSES = [("0", 30, 30), ("120", None, 120), ("5", 45, 45), (None, None, 30)]


def test_slow_and_jittery_answers_never_bend_the_limit(author: Author) -> None:
    author.fault("latency", seconds=0.2, jitter=0.7)
    author.write_many(15, fans=8)
    author.wait("sent")
    audit(author)


@pytest.mark.slow
def test_several_workers_share_one_limit(postgres_house: House) -> None:
    authors = [postgres_house.author() for _ in range(2)]
    for _ in range(2):
        postgres_house.start_worker()
    for author in authors:
        author.fault("latency", seconds=0.0, jitter=0.5)
        author.fault("status", status=500, probability=0.1)
        author.write_many(15, fans=5)
    for author in authors:
        author.wait("sent")
        audit(author)


def test_urgent_messages_go_before_those_that_wait(house: House, author: Author) -> None:
    with house.app.app_context():
        operating.stop(author.platform_id)
    for priority in ("low", "normal", "high"):
        author.write_many(2, fans=2, priority=priority)
    until(lambda: all(message.received_at for message in author.messages()), author.story)
    with house.app.app_context():
        operating.resume(author.platform_id)
    author.wait("sent")
    audit(author)
    assert author.texts() == ["high 0", "high 1", "normal 0", "normal 1", "low 0", "low 1"]


def test_an_urgent_message_overtakes_a_backlog(author: Author) -> None:
    author.write_many(12, fans=12, priority="low")
    author.write("Urgent")
    author.wait("sent")
    audit(author)
    assert author.texts()[-1] != "Urgent"


def test_a_message_for_later_goes_when_it_falls_due_and_holds_nothing_back(author: Author) -> None:
    later = author.write("Later", later=3)
    accepted_at = time.time()
    author.write("Now")
    author.wait_for(later, "sent")
    audit(author)
    assert author.texts() == ["Now", "Later"]
    assert author.delivered()[-1]["at"] - accepted_at > 2.5, author.story()


def test_after_a_429_the_account_pauses_for_the_longest_time_named(house: House) -> None:
    paused, other = [house.author() for _ in PAUSES], house.author()
    for author, (header, body, _) in zip(paused, PAUSES, strict=True):
        author.fault("rate_limited", header_retry_after=header, body_retry_after=body, times=1)
        author.write_many(2, fans=2)
    for author, (_, _, seconds) in zip(paused, PAUSES, strict=True):
        until(lambda author=author: author.account().paused_until, author.story)  # type: ignore[misc]
        _check_pause(author, seconds)
    calls = [len(author.entries()) for author in paused]
    other.write_many(3, fans=3)
    other.wait("sent")
    time.sleep(1)
    assert [len(author.entries()) for author in paused] == calls
    house.execute(update(Account).values(paused_until=None))
    house.execute(update(Message).values(next_attempt_at=None))
    for author in paused:
        author.wait("sent")
        assert audit(author)["calls"] == 3
        assert {message.attempts for message in author.messages()} == {1}, author.story()


def _check_pause(author: Author, seconds: float) -> None:
    until_when = author.account().paused_until
    assert until_when is not None
    refused_at = author.entries()[0]["at"]
    assert seconds - 1 <= until_when.timestamp() - refused_at <= seconds + 5, author.story()
