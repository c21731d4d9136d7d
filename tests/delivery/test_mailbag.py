"""Requests that publish at the same moment share a call, and each is told of its own messages."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.delivery import mailbag
from app.delivery.mailbag import Mailbag

WAIT = 10


class Carrier:
    """Takes odd ids, notes what it was given, and holds its first call until `go`."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, message_ids: Sequence[int]) -> dict[int, str]:
        """Carry."""
        self.calls.append(list(message_ids))
        self.begun.set()
        assert self.go.wait(WAIT)
        if 0 in message_ids:
            raise RuntimeError("spilled")
        return {message_id: f"sqs-{message_id}" for message_id in message_ids if message_id % 2}


def _wait_until(bag: Mailbag, waiting: int) -> None:
    for _ in range(WAIT * 100):
        with bag.lock:
            if len(bag.waiting) == waiting:
                return
        threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


def test_who_comes_alone_goes_at_once() -> None:
    carrier = Carrier()
    carrier.go.set()
    bag = Mailbag(carrier)
    assert [bag.post([1, 2]), bag.post([3])] == [{1: "sqs-1"}, {3: "sqs-3"}]
    assert carrier.calls == [[1, 2], [3]]


def test_who_comes_meanwhile_goes_together_next() -> None:
    carrier = Carrier()
    bag = Mailbag(carrier)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(bag.post, [1])
        assert carrier.begun.wait(WAIT)
        others = [pool.submit(bag.post, [number]) for number in range(2, 8)]
        _wait_until(bag, 6)
        carrier.go.set()
        assert first.result(WAIT) == {1: "sqs-1"}
        answers = [other.result(WAIT) for other in others]
    assert answers == [{}, {3: "sqs-3"}, {}, {5: "sqs-5"}, {}, {7: "sqs-7"}]
    assert [sorted(call) for call in carrier.calls] == [[1], [2, 3, 4, 5, 6, 7]]


def test_after_several_together_the_next_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbag, "GATHERING", 0.5)
    carrier = Carrier()
    bag = Mailbag(carrier)
    with ThreadPoolExecutor(3) as pool:
        first = [pool.submit(bag.post, [number]) for number in (1, 3, 5)]
        assert carrier.begun.wait(WAIT)
        _wait_until(bag, 2)
        carrier.go.set()
        assert [one.result(WAIT) for one in first] == [{1: "sqs-1"}, {3: "sqs-3"}, {5: "sqs-5"}]
        late = [pool.submit(bag.post, [number]) for number in (7, 9)]
        assert [one.result(WAIT) for one in late] == [{7: "sqs-7"}, {9: "sqs-9"}]
    assert [len(call) for call in carrier.calls] == [1, 2, 2]
    assert bag.post([11]) == {11: "sqs-11"}


def test_a_call_that_breaks_leaves_nobody_waiting() -> None:
    carrier = Carrier()
    bag = Mailbag(carrier)
    with ThreadPoolExecutor(2) as pool:
        broken = pool.submit(bag.post, [0])
        assert carrier.begun.wait(WAIT)
        after = pool.submit(bag.post, [1])
        _wait_until(bag, 1)
        carrier.go.set()
        with pytest.raises(RuntimeError):
            broken.result(WAIT)
        assert after.result(WAIT) == {1: "sqs-1"}
    assert bag.post([3]) == {3: "sqs-3"}
