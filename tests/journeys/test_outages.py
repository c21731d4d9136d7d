"""Parts that go away for a while: nothing is lost, nothing is repeated, and the limit holds when they are back."""

import time

import pytest
import redis

from app.delivery.circuit_breaker import State
from app.delivery.desk import Desk
from app.messages.models import Step
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import TIMEOUT, House
from tests.journeys.parts import freeze, thaw
from tests.journeys.waiting import until


def test_a_single_message_outlives_an_outage_of_the_platform(house: House, author: Author) -> None:
    author.write("Before")
    author.wait("sent")
    house.parts.platform.stop()
    author.write("Meanwhile")
    until(lambda: author.messages()[-1].error, author.story)
    time.sleep(5)
    house.parts.start()
    author.wait("sent")
    assert author.messages()[-1].attempts == 1, author.story()
    assert audit(author)["calls"] == 2


def test_a_backlog_outlives_an_outage_of_the_platform_and_the_breaker_spares_it(house: House) -> None:
    authors = [house.author() for _ in range(3)]
    house.sim.fault("down", html=True)
    for author in authors:
        author.write_many(4, fans=4)
    until(lambda: _platform_breaker(house, authors[0]) is State.OPEN, authors[0].story)
    tried = sum(len(author.entries()) for author in authors)
    time.sleep(4)
    assert sum(len(author.entries()) for author in authors) <= tried + 2, "an open breaker lets nothing but probes out"
    house.sim.works_again()
    for author in authors:
        author.wait("sent")
        audit(author)
        # The call that met the outage first may have cost one.
        assert {message.attempts for message in author.messages()} <= {1, 2}, author.story()
    assert _platform_breaker(house, authors[0]) is State.CLOSED


def test_one_accounts_outage_delays_no_other(house: House) -> None:
    down, other = house.author(), house.author()
    down.fault("hang")
    down.fault("hang", call="list_messages")
    down.write_many(12, fans=12)
    until(lambda: len(down.entries()) >= 2, down.story)
    began = time.monotonic()
    other.write_many(6, fans=6)
    other.wait("sent")
    assert time.monotonic() - began < 5, other.story()
    assert down.sim.summary(down.platform_id)["in_flight_max"] <= 3
    house.sim.works_again()
    audit(other)


def test_without_redis_nothing_is_sent_and_everything_is_accepted(house: House, author: Author) -> None:
    author.write_many(10, fans=5)
    until(lambda: len(author.delivered()) >= 3, author.story)
    house.parts.redis.stop()
    time.sleep(TIMEOUT)
    before = len(author.entries())
    author.write("Written without Redis")
    time.sleep(2)
    assert len(author.entries()) == before, author.story()
    house.parts.start()
    author.wait("sent")
    assert audit(author)["calls"] == 11


@pytest.mark.slow
def test_a_redis_that_hangs_is_waited_for(house: House, author: Author) -> None:
    author.write_many(8, fans=4)
    until(lambda: len(author.delivered()) >= 2, author.story)
    freeze(house.parts.redis)
    author.write("Written while Redis hangs")
    time.sleep(3)
    thaw(house.parts.redis)
    author.wait("sent")
    assert audit(author)["calls"] == 9


def test_a_flushed_redis_lets_no_window_overflow(house: House) -> None:
    busy, quiet = house.author(), house.author()
    for author in (busy, quiet):
        author.write_many(9, fans=4)
    until(lambda: len(busy.delivered()) >= 4, busy.story)
    with redis.Redis.from_url(house.parts.redis_url) as client:
        client.flushall()
        time.sleep(1)
        client.flushall()
    for author in (busy, quiet):
        author.wait("sent")
        assert audit(author)["calls"] == 9


def test_a_database_that_is_away_loses_nothing_and_repeats_nothing(any_house: House) -> None:
    author = any_house.author()
    author.fault("latency", seconds=0.3)
    author.write_many(12, fans=6)
    until(lambda: len(author.delivered()) >= 3, author.story)
    with any_house.database_away():
        time.sleep(4)
    author.wait("sent")
    assert audit(author)["calls"] == 12
    assert {message.next_step for message in author.messages()} == {Step.SEND}


def _platform_breaker(house: House, author: Author) -> State:
    desk: Desk = house.app.extensions["desk"]
    return desk.bucket.peek(author.account_id).platform_breaker.state
