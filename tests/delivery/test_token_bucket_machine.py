"""Whatever happens to calls, workers and Redis, an observer at the platform's door never counts too many."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.delivery.token_bucket import Ended, Slot
from tests.delivery.virtual import LIMIT, TIMEOUT, StillRedis

ACCOUNTS = (1, 2)
WINDOW, GAP = int(LIMIT.window * 1000), int(LIMIT.min_gap * 1000)
CALL, CALL_MOST = int(TIMEOUT * 1000), int(TIMEOUT * 1000) + 5000
accounts = st.sampled_from(ACCOUNTS)


@dataclass
class Flight:
    """A call as the outside sees it: `arrived` is when the platform saw it, None: it hasn't."""

    slot: Slot
    began: int
    arrived: int | None = None


@dataclass
class Door:
    """What somebody at the platform's door notes down, ms; the attempts are what the database knows."""

    arrivals: dict[int, list[int]] = field(default_factory=lambda: {account: [] for account in ACCOUNTS})
    attempts: dict[int, list[int]] = field(default_factory=lambda: {account: [] for account in ACCOUNTS})


class Bucket(RuleBasedStateMachine):
    """Workers that take slots, call early or late, end, die or hand back, over a Redis that forgets."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.time = StillRedis(self.url)
        self.door = Door()
        self.flying: list[Flight] = []
        self.luck = Random(0)

    @initialize(seed=st.integers(0, 1_000_000))
    def luck_is_dealt(self, seed: int) -> None:
        self.luck = Random(seed)

    @rule(account=accounts)
    def work_comes(self, account: int) -> None:
        self.time.bucket().ready([account])

    @rule(ms=st.one_of(st.integers(1, GAP + 200), st.integers(1, 12_000)))
    def time_passes(self, ms: int) -> None:
        self._pass(ms)

    @rule()
    def a_worker_takes(self) -> None:
        self._take()

    @rule(spell=st.lists(st.tuples(st.booleans(), st.integers(0, GAP + 100)), min_size=3, max_size=10))
    def a_busy_worker_takes_and_calls(self, spell: list[tuple[bool, int]]) -> None:
        """As fast as it is let: each call ends at once, or stays in the air."""
        self.time.bucket().ready(ACCOUNTS)
        for ends, pause in spell:
            self._take()
            for flight in list(self.flying):
                self._arrive(flight)
                if ends:
                    self._end(flight, "clear")
            self._pass(pause)

    @rule()
    def redis_forgets(self) -> None:
        self.time.flush()

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), verdict=st.sampled_from(["clear", "unclear", "silent"]))
    def a_call_ends(self, data: st.DataObject, verdict: str) -> None:
        flight = data.draw(st.sampled_from(self.flying))
        self._arrive(flight)
        self._end(flight, verdict)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def a_call_arrives(self, data: st.DataObject) -> None:
        self._arrive(data.draw(st.sampled_from(self.flying)))

    @precondition(lambda self: any(flight.arrived is None for flight in self.flying))
    @rule(data=st.data())
    def a_slot_is_handed_back(self, data: st.DataObject) -> None:
        flight = data.draw(st.sampled_from([one for one in self.flying if one.arrived is None]))
        self.flying.remove(flight)
        self.door.attempts[flight.slot.account_id].remove(flight.began)
        self.time.bucket().give_back([flight.slot])

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        """Its call may have arrived or not; nobody will say that it ended."""
        flight = data.draw(st.sampled_from(self.flying))
        if data.draw(st.booleans()):
            self._arrive(flight)
        self.flying.remove(flight)

    @invariant()
    def no_window_holds_more_calls_than_the_limit(self) -> None:
        for arrivals in self.door.arrivals.values():
            ordered = sorted(arrivals)
            for first, last in zip(ordered, ordered[LIMIT.messages :], strict=False):
                assert last - first >= WINDOW, ordered

    @invariant()
    def at_most_three_calls_of_an_account_are_in_the_air(self) -> None:
        for account in ACCOUNTS:
            assert sum(flight.slot.account_id == account for flight in self.flying) <= 3

    def teardown(self) -> None:
        """However it went: when the calls have ended and time has passed, work gets its slot again."""
        for flight in list(self.flying):
            self._end(flight, "clear")
        for account in ACCOUNTS:
            self.time.bucket().finish([Ended(account, "none", 0, 1, "clear")])
        self.time.pass_time(2 * (WINDOW + CALL_MOST))
        self.time.bucket().ready(ACCOUNTS)
        served: set[int] = set()
        for _ in range(12):
            served |= {slot.account_id for slot in self._take()}
            self.time.pass_time(6_000)
        assert served == set(ACCOUNTS)

    def _take(self) -> list[Slot]:
        taken = self.time.bucket().take(4)
        now = self.time.now()
        if taken.lost:
            self.time.bucket().found(taken.run, fresh=not any(self.door.attempts.values()))
        if taken.strangers:
            self.time.bucket().admit(taken.run, {account: self._wait_of(account, now) for account in taken.strangers})
        for slot in taken.slots:
            attempts = self.door.attempts[slot.account_id]
            assert all(slot.start_ms - earlier >= GAP for earlier in attempts), (slot.start_ms, attempts)
            attempts.append(slot.start_ms)
            self.flying.append(Flight(slot, slot.start_ms))
        return taken.slots

    def _pass(self, ms: int) -> None:
        self.time.pass_time(ms)
        self._calls_end_in_time()

    def _wait_of(self, account: int, now: int) -> float:
        """As the dispatcher reckons it from the database's attempts."""
        newest = max(self.door.attempts[account], default=None)
        return 0.0 if newest is None else (WINDOW + CALL_MOST - (now - newest)) / 1000

    def _calls_end_in_time(self) -> None:
        """A call ends after its time-out in all: what is older has arrived by then, or never does."""
        now = self.time.now()
        for flight in [one for one in self.flying if now - one.began > CALL]:
            if flight.arrived is None and self.luck.random() < 0.7:
                self.door.arrivals[flight.slot.account_id].append(flight.began + self.luck.randint(0, CALL))
            self.flying.remove(flight)
            # Its worker was paused and says so late, or is gone and never does.
            if self.luck.random() < 0.5:
                self._finish(flight, "unclear")

    def _arrive(self, flight: Flight) -> None:
        if flight.arrived is None:
            flight.arrived = self.time.now()
            self.door.arrivals[flight.slot.account_id].append(flight.arrived)

    def _end(self, flight: Flight, verdict: str) -> None:
        self.flying.remove(flight)
        self._finish(flight, verdict)

    def _finish(self, flight: Flight, verdict: str) -> None:
        slot = flight.slot
        self.time.bucket().finish([Ended(slot.account_id, slot.name, slot.start_ms, slot.start_ms, verdict)])


@pytest.mark.timeout(180)
def test_the_limit_holds_whatever_happens(redis_url: str) -> None:
    """Random lives of two accounts' buckets on a real Redis, its time moved by the test."""
    Bucket.url = redis_url
    run_state_machine_as_test(
        Bucket,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, phases=(Phase.generate, Phase.shrink)
        ),
    )
