"""`kill -9` at the worst moment: what hung is looked up, what waited goes on, nothing arrives twice."""

import time

import pytest

from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until


@pytest.mark.parametrize(
    "victim", ["delivery", *(pytest.param(who, marks=pytest.mark.slow) for who in ("manager", "both"))]
)
def test_work_goes_on_after_a_kill_while_calls_hang(house: House, victim: str) -> None:
    authors = _hanging(house)
    worker = house.workers[0]
    if victim == "delivery":
        worker.kill_delivery()
    elif victim == "manager":
        worker.kill_manager()
        house.start_worker()
    else:
        worker.kill_all()
        house.start_worker()
    until(lambda: _all_sent(house, authors), lambda: "\n".join(author.story() for author in authors))
    for author, calls in zip(authors, (3, 4), strict=True):
        assert audit(author)["calls"] == calls


def test_a_worker_that_is_asked_to_end_finishes_its_call(house: House, author: Author) -> None:
    author.fault("latency", seconds=0.8, times=1)
    called = author.write("In the air")
    author.write("Waits for the next worker")
    until(author.entries, author.story)
    worker = house.workers[0]
    worker.terminate()
    until(lambda: worker.child.exit_code() is not None, "its end")
    assert worker.child.exit_code() == 0, worker.log()
    assert author.message(called).status == "sent", author.story()
    assert author.messages()[-1].status == "queued", author.story()
    house.start_worker()
    author.wait("sent")
    assert audit(author)["calls"] == 2


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_work_of_a_killed_worker_goes_on_within_90_seconds(house: House) -> None:
    authors = _hanging(house)
    house.workers[0].kill_all()
    killed_at = time.monotonic()
    house.start_worker()
    for author in authors:
        author.wait("sent", 90 - (time.monotonic() - killed_at))
        audit(author)


def _hanging(house: House) -> list[Author]:
    """Two authors with three messages each, whose first call hangs now: one's has arrived, the other's hasn't."""
    arrived, not_arrived = house.author(), house.author()
    arrived.fault("hang_after_delivery", kept=False, times=1)
    not_arrived.fault("hang", times=1)
    for author in (arrived, not_arrived):
        author.write_many(3)
    until(lambda: arrived.entries() and not_arrived.entries(), arrived.story)
    return [arrived, not_arrived]


def _all_sent(house: House, authors: list[Author]) -> bool:
    house.hurry()
    return all(set(author.statuses()) == {"sent"} for author in authors)
