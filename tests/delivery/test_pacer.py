"""The pacer: calls of one account start a gap apart whatever the threads do, and those of others wait for nobody."""

import threading
import time

from app.delivery.pacer import REMEMBERED, Pacer

GAP = 0.05
# Two readings of the clock, one before and one after a sleep, may differ from it by this much.
TICK = 0.001


def _starts(pacer: Pacer, accounts: list[int]) -> list[tuple[int, float]]:
    """When the call of each of these accounts starts, each in a thread of its own, all let go at once."""
    starts: list[tuple[int, float]] = []
    barrier = threading.Barrier(len(accounts))

    def call(account: int) -> None:
        barrier.wait(5)
        pacer.wait_turn(account)
        starts.append((account, time.monotonic()))

    threads = [threading.Thread(target=call, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return sorted(starts, key=lambda start: start[1])


def test_calls_of_an_account_start_a_gap_apart_however_many_threads_wait() -> None:
    began = time.monotonic()
    starts = [moment for _, moment in _starts(Pacer(GAP), [1] * 8)]
    assert len(starts) == 8
    # A thread may wake late from its turn, never early: so the n-th start is the n-th turn's or later.
    assert all(moment - began >= turn * GAP - TICK for turn, moment in enumerate(starts))
    assert starts[-1] - began < 7 * GAP + 2


def test_calls_that_follow_each_other_keep_the_gap() -> None:
    pacer = Pacer(GAP)
    for _ in range(4):
        began = time.monotonic()
        pacer.wait_turn(1)
        pacer.wait_turn(1)
        assert time.monotonic() - began >= GAP - TICK


def test_a_thread_that_wakes_late_does_not_shorten_the_next_ones_gap() -> None:
    woken: list[float] = []

    def oversleep(seconds: float) -> None:
        time.sleep(seconds if woken else seconds + 3 * GAP)
        woken.append(time.monotonic())

    pacer = Pacer(GAP, oversleep)
    for _ in range(3):
        pacer.wait_turn(1)
    assert time.monotonic() - woken[0] >= GAP - TICK


def test_nobody_waits_for_another_account() -> None:
    pacer = Pacer(30.0)
    began = time.monotonic()
    assert len(_starts(pacer, list(range(10)))) == 10
    assert time.monotonic() - began < 10


def test_an_account_that_rested_starts_at_once_and_saves_nothing_up() -> None:
    pacer = Pacer(GAP)
    pacer.wait_turn(1)
    time.sleep(4 * GAP)
    began = time.monotonic()
    pacer.wait_turn(1)
    first = time.monotonic()
    pacer.wait_turn(1)
    assert first - began < GAP
    assert time.monotonic() - first >= GAP - 2 * TICK


def test_without_a_gap_nobody_waits() -> None:
    pacer = Pacer(0.0)
    began = time.monotonic()
    for _ in range(1000):
        pacer.wait_turn(1)
    assert time.monotonic() - began < 1


def test_only_the_accounts_that_called_last_are_remembered() -> None:
    pacer = Pacer(0.001)
    for account in range(REMEMBERED):
        pacer.wait_turn(account)
    pacer.wait_turn(0)
    for account in range(REMEMBERED, REMEMBERED + 100):
        pacer.wait_turn(account)
    assert len(pacer.starts) == REMEMBERED
    assert 0 in pacer.starts
    assert 1 not in pacer.starts
