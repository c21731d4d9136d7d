"""The circuit breaker: whom it stops, when, and how it lets one call probe."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.delivery.circuit_breaker import State
from app.delivery.token_bucket import Ended, Slot
from config import RateLimit
from tests.delivery.virtual import VirtualRedis

NO_LIMIT = RateLimit(messages=1000, window=0.1, min_gap=0.0)


@pytest.fixture
def time(redis_url: str) -> VirtualRedis:
    """A Redis whose time passes when told, and no limit to speak of."""
    return VirtualRedis(redis_url, NO_LIMIT)


def end(time: VirtualRedis, account: int, message: int, verdict: str) -> None:
    """A call of the account for the message ended."""
    time.bucket().finish([Ended(account, "1", 0, message, verdict)])


def fail(time: VirtualRedis, *calls: tuple[int, int]) -> None:
    """These (account, message) end unclear, a second apart."""
    for account, message in calls:
        end(time, account, message, "unclear")
        time.pass_time(1_000)


def states(time: VirtualRedis, account: int) -> tuple[State, State]:
    """The account's breaker and the platform's."""
    view = time.bucket().peek(account)
    return view.breaker.state, view.platform_breaker.state


def test_three_messages_of_one_account_stop_that_account_alone(time: VirtualRedis) -> None:
    time.admit(1, 2)
    fail(time, (1, 1), (1, 2), (1, 3))
    assert states(time, 1) == (State.OPEN, State.CLOSED)
    assert states(time, 2) == (State.CLOSED, State.CLOSED)
    assert [slot.account_id for slot in time.bucket().take(9).slots] == [2]


def test_three_messages_of_two_accounts_stop_everybody(time: VirtualRedis) -> None:
    time.admit(1, 2, 3)
    fail(time, (1, 1), (2, 2), (1, 3))
    assert states(time, 3) == (State.CLOSED, State.OPEN)
    assert time.bucket().take(9).slots == []


def test_one_message_never_stops_anybody_however_often_it_fails(time: VirtualRedis) -> None:
    fail(time, *[(1, 1)] * 30)
    assert states(time, 1) == (State.CLOSED, State.CLOSED)


def test_a_burst_within_two_seconds_stops_nobody(time: VirtualRedis) -> None:
    for message in range(20):
        end(time, message % 4, message, "unclear")
    assert states(time, 1) == (State.CLOSED, State.CLOSED)


def test_a_clear_answer_starts_the_count_anew(time: VirtualRedis) -> None:
    fail(time, (1, 1), (1, 2))
    end(time, 1, 9, "clear")
    fail(time, (1, 3), (1, 4))
    assert states(time, 1) == (State.CLOSED, State.CLOSED)


def test_one_of_twenty_probes_when_the_cool_down_is_over(time: VirtualRedis) -> None:
    accounts = range(1, 21)
    time.admit(*accounts)
    fail(time, (1, 1), (2, 2), (3, 3))
    time.pass_time(5_000)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: time.bucket().take(9).slots, range(20)))
    probes = [slot for slots in taken for slot in slots]
    assert len(probes) == 1
    assert probes[0].probe


def probe(time: VirtualRedis) -> Slot:
    """The one call that may go."""
    [slot] = time.bucket().take(9).slots
    return slot


def test_a_probe_that_is_answered_closes_the_breaker(time: VirtualRedis) -> None:
    time.admit(1, 2)
    fail(time, (1, 1), (2, 2), (1, 3))
    time.pass_time(5_000)
    slot = probe(time)
    time.bucket().finish([Ended(slot.account_id, slot.name, slot.start_ms, 1, "clear")])
    assert states(time, slot.account_id) == (State.CLOSED, State.CLOSED)


def test_each_probe_that_fails_doubles_the_cool_down_up_to_a_minute(time: VirtualRedis) -> None:
    time.admit(1, 2)
    fail(time, (1, 1), (2, 2), (1, 3))
    pauses = []
    for _ in range(6):
        retry_in = time.bucket().peek(1).platform_breaker.retry_in
        time.pass_time(round(retry_in * 1000) + 20)
        slot = probe(time)
        time.bucket().finish([Ended(slot.account_id, slot.name, slot.start_ms, 1, "unclear")])
        pauses.append(round(time.bucket().peek(1).platform_breaker.retry_in))
    assert pauses == [10, 20, 40, 60, 60, 60]


def test_a_probe_that_was_not_made_leaves_room_for_another(time: VirtualRedis) -> None:
    time.admit(1, 2)
    fail(time, (1, 1), (2, 2), (1, 3))
    time.pass_time(5_000)
    slot = probe(time)
    assert time.bucket().take(9).slots == []
    time.bucket().give_back([slot])
    time.pass_time(1_100)
    assert len(time.bucket().take(9).slots) == 1


def test_look_ups_wait_for_the_breaker_too(time: VirtualRedis) -> None:
    time.admit(1, 2)
    fail(time, (1, 1), (2, 2), (1, 3))
    assert time.bucket().board(2, 5) is None
    time.pass_time(5_000)
    assert time.bucket().board(2, 5) is not None
    assert time.bucket().board(1, 5) is None


def test_it_says_since_when_it_is_open_however_often_a_probe_fails(time: VirtualRedis) -> None:
    fail(time, (1, 1), (1, 2), (1, 3))
    for _ in range(3):
        time.pass_time(61_000)
        end(time, 1, 4, "unclear")
    views = time.bucket().peek_all([1, 2])
    assert views[1].breaker.lasts == pytest.approx(184, abs=1)
    assert views[2].breaker.lasts == 0
    end(time, 1, 4, "clear")
    assert time.bucket().peek(1).breaker.lasts == 0
