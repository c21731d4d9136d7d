"""The emergency stop: messages are accepted and kept, none is sent, and all go when it is taken back."""

import time

import pytest

from app.accounts import operating
from app.delivery import stop
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until

TAKES_EFFECT = 0.5


def test_the_stop_for_everybody_holds_a_backlog_and_lets_it_go(house: House) -> None:
    first, second = house.author(), house.author()
    for author in (first, second):
        author.write_many(10, fans=5)
    until(lambda: len(first.delivered()) >= 2, first.story)
    with house.app.app_context():
        stop.set_stop(None)
    time.sleep(TAKES_EFFECT)
    before = [len(author.entries()) for author in (first, second)]
    first.write("Accepted all the same")
    time.sleep(2)
    assert [len(author.entries()) for author in (first, second)] == before
    with house.app.app_context():
        stop.clear_stop(None)
    for author in (first, second):
        author.wait("sent")
        audit(author)


def test_the_stop_of_an_account_holds_it_alone(house: House) -> None:
    stopped, other = house.author(), house.author()
    with house.app.app_context():
        operating.stop(stopped.platform_id)
    for author in (stopped, other):
        author.write_many(3)
    other.wait("sent")
    time.sleep(1)
    assert stopped.entries() == []
    with house.app.app_context():
        operating.resume(stopped.platform_id)
    stopped.wait("sent")
    audit(stopped)


@pytest.mark.slow
def test_a_limiter_that_is_switched_off_by_configuration_sends_nothing(house: House, author: Author) -> None:
    house.workers[0].stop()
    house.start_worker(RATE_LIMITER_ENABLED="false")
    author.write_many(3)
    until(lambda: all(message.received_at for message in author.messages()), author.story)
    time.sleep(2)
    assert author.entries() == []
    house.workers[-1].stop()
    house.start_worker()
    author.wait("sent")
    assert audit(author)["calls"] == 3
