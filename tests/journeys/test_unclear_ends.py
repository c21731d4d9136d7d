"""Calls that end so that nobody knows: a look at the chat tells, and the message arrives once."""

from itertools import pairwise
from typing import Any

import pytest

from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until

BEFORE: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("status", {"status": 408}),
    ("html_502", {}),
    ("redirect", {"status": 302}),
    ("redirect", {"status": 307}),
    ("reset", {}),
    ("hang", {}),
]
AFTER: list[tuple[str, dict[str, Any]]] = [
    ("status_after_delivery", {"status": 500}),
    ("status_after_delivery", {"status": 524, "body": "<html>A timeout occurred</html>"}),
    ("hang_after_delivery", {}),
    ("hang_after_delivery", {"kept": False}),
    ("reset_after_delivery", {}),
    ("reset_after_delivery", {"kept": False}),
    ("no_id_after_delivery", {}),
    ("no_id_after_delivery", {"error": True}),
    ("trickle", {"interval": 0.05}),
]


def test_what_failed_before_delivery_is_tried_again_and_arrives_once(house: House) -> None:
    struck = [_write_into(house, kind, rule) for kind, rule in BEFORE]
    for author in struck:
        author.wait("sent")
        assert audit(author)["calls"] == 2, author.story()
        first, second = author.entries()
        assert second["at"] - first["end"] >= 1.0, author.story()
        assert first["key"] == second["key"], author.story()


def test_what_failed_after_delivery_is_found_and_not_sent_again(house: House) -> None:
    struck = [_write_into(house, kind, rule) for kind, rule in AFTER]
    for author in struck:
        author.wait("sent")
        assert audit(author)["calls"] == 1, author.story()


@pytest.mark.slow
def test_what_fails_four_times_is_failed_only_when_nothing_arrived(house: House) -> None:
    in_vain, in_secret, empty = house.author(), house.author(), house.author()
    in_vain.fault("status", status=500)
    in_secret.fault("status", status=500, times=3)
    in_secret.fault("status_after_delivery", status=500)
    empty.fault("no_id")
    in_vain.write("Never arrives")
    in_secret.write("Arrives at the fourth try")
    empty.write("The platform says yes, but to what?")
    in_secret.wait("sent")
    for author in (in_vain, empty):
        author.wait("failed")
        assert author.messages()[0].error, author.story()
    assert {audit(author)["calls"] for author in (in_vain, in_secret, empty)} == {4}
    for least, (earlier, later) in zip((1, 2, 4), pairwise(in_vain.entries()), strict=True):
        assert later["at"] - earlier["end"] >= least, in_vain.story()


def test_a_call_that_still_runs_is_waited_for_and_not_repeated(house: House) -> None:
    heard, unheard = house.author(), house.author()
    heard.fault("conflict", times=1)
    unheard.fault("latency", seconds=3.0, times=1)
    unheard.fault("status_after_delivery", status=500, times=1)
    for author in (heard, unheard):
        author.write("Slowly")
    for author in (heard, unheard):
        author.wait("sent")
        audit(author)
        assert 409 in [entry["status"] for entry in author.entries()], author.story()
        assert author.messages()[0].attempts == 1, author.story()


def test_what_arrives_between_time_out_and_next_try_is_found(author: Author) -> None:
    author.fault("latency", seconds=1.6, times=1)
    author.fault("status_after_delivery", status=500, times=1)
    author.write("Slowly")
    author.wait("sent")
    audit(author)


@pytest.mark.slow
def test_a_new_key_is_not_used_while_an_unclear_call_may_have_arrived(house: House, author: Author) -> None:
    author.fault("latency", seconds=3.0, times=1)
    author.write("Slowly")
    until(author.entries, "the first call")
    house.sim.fault("unauthorized", call="send", times=1)
    until(author.delivered, author.story)
    house.probe_now()
    author.wait("sent")
    audit(author)


def _write_into(house: House, kind: str, rule: dict[str, Any]) -> Author:
    author = house.author()
    author.fault(kind, **({"times": 1} | rule))
    author.write(f"Into {kind}")
    return author


@pytest.mark.slow
def test_a_message_is_found_behind_hundreds_of_the_fans(author: Author) -> None:
    author.fault("hang_after_delivery", kept=False, times=1)
    author.write("Where am I?")
    until(author.delivered, author.story)
    for number in range(250):
        wish = {"account": author.platform_id, "chat": "1001", "text": f"{number}", "from": "fan"}
        author.sim.tell("/messages", wish)
    author.wait("sent")
    assert audit(author)["calls"] == 1


def test_the_same_words_written_twice_are_two_messages(author: Author) -> None:
    author.fault("status_after_delivery", status=500, times=2)
    for _ in range(3):
        author.write("Thank you!")
    author.wait("sent")
    assert audit(author)["calls"] == 3
