"""The token bucket, operation by operation, on a real Redis."""

from itertools import pairwise

import pytest

from app.delivery.circuit_breaker import State
from app.delivery.token_bucket import PREFIX, Ended, Rest, Slot
from config import RateLimit
from tests.delivery.virtual import CLOCK, VirtualRedis


@pytest.fixture
def time(redis_url: str) -> VirtualRedis:
    """A Redis whose time passes when told."""
    return VirtualRedis(redis_url)


def ended(slot: Slot, verdict: str = "clear", message_id: int = 1, timed_out: bool = False) -> Ended:
    """The end of the call that `slot` allowed."""
    return Ended(slot.account_id, slot.name, slot.start_ms, message_id, verdict, timed_out)


def take(time: VirtualRedis, most: int = 10) -> list[Slot]:
    """Slots for a worker."""
    return time.bucket().take(most).slots


def call(time: VirtualRedis) -> list[int]:
    """Take what there is and end each call at once; the accounts."""
    slots = take(time)
    time.bucket().finish([ended(slot) for slot in slots])
    return sorted(slot.account_id for slot in slots)


def test_slots_come_a_gap_apart_until_the_limit_and_back_a_window_after_their_calls_ended(time: VirtualRedis) -> None:
    time.admit(1)
    starts = []
    for _ in range(400):
        for slot in take(time):
            starts.append(slot.start_ms)
            time.pass_time(500)
            time.bucket().finish([ended(slot)])
        time.pass_time(100)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) >= 1000
    for earlier, later in zip(starts, starts[3:], strict=False):
        assert later - earlier >= 10_500
    assert len(starts) >= 3 * (400 * 100 // 10_700)


def test_accounts_never_share_slots(time: VirtualRedis) -> None:
    time.admit(1, 2)
    assert call(time) == [1, 2]
    for _ in range(2):
        time.pass_time(1100)
        assert call(time) == [1, 2]
    time.admit(3)
    assert call(time) == [3]


def test_a_slot_that_was_not_used_counts_as_never_taken(time: VirtualRedis) -> None:
    time.admit(1)
    [slot] = take(time)
    time.bucket().give_back([slot])
    view = time.bucket().peek(1)
    assert (view.back_ms, view.start_ms) == ([], 0)
    time.bucket().ready([1])
    assert [again.account_id for again in take(time)] == [1]


def test_at_most_three_calls_are_in_the_air_and_one_after_a_time_out(redis_url: str) -> None:
    time = VirtualRedis(redis_url, RateLimit(messages=100, window=1.0, min_gap=0.0))
    time.admit(1)
    flying = [slot for _ in range(6) for slot in take(time)]
    assert len(flying) == 3
    time.bucket().finish([ended(flying[0], "unclear", timed_out=True)])
    assert take(time) == []
    time.bucket().finish([ended(slot) for slot in flying[1:2]])
    time.bucket().finish([ended(flying[2], "unclear", timed_out=True)])
    assert len([slot for _ in range(4) for slot in take(time)]) == 1


def test_an_account_at_its_cap_goes_on_as_soon_as_a_call_ends(redis_url: str) -> None:
    time = VirtualRedis(redis_url, RateLimit(messages=100, window=1.0, min_gap=0.0))
    time.admit(1)
    flying = [slot for _ in range(4) for slot in take(time)]
    assert take(time) == []
    time.bucket().finish([ended(flying[0])])
    assert len(take(time)) == 1


def test_a_call_without_an_end_counts_as_ended_after_its_longest_time(time: VirtualRedis) -> None:
    time.admit(1)
    for _ in range(3):
        assert len(take(time)) == 1
        time.pass_time(1100)
    time.pass_time(9_000 + 10_000 - 3 * 1100 - 200)
    assert take(time) == []
    time.pass_time(400)
    assert len(take(time)) == 1


def test_every_key_expires(time: VirtualRedis) -> None:
    time.admit(1, 2)
    slots = take(time)
    time.bucket().finish([ended(slot, "unclear", n, timed_out=True) for n, slot in enumerate(slots)])
    time.bucket().board(1, 5)
    time.bucket().rest([Rest(2, "99", 5.0, blocked=True)])
    keys = time.client.keys("*")
    assert len(keys) >= 8
    assert all(key.startswith(PREFIX) for key in keys)
    assert [key for key in keys if time.client.pttl(key) < 0] == []


def test_after_a_flush_nothing_goes_before_the_grace_and_then_strangers_are_named(time: VirtualRedis) -> None:
    time.admit(1)
    call(time)
    time.flush()
    taken = time.bucket().take(5)
    assert taken.lost
    time.bucket().found(taken.run, fresh=False)
    time.bucket().ready([1])
    assert time.bucket().take(5).strangers == []
    time.pass_time(5_100)
    taken = time.bucket().take(5)
    assert (taken.slots, taken.strangers) == ([], [1])
    time.bucket().admit(taken.run, {1: 7.0})
    assert take(time) == []
    time.pass_time(7_100)
    assert len(take(time)) == 1


def test_another_redis_is_noticed_by_its_run_id(time: VirtualRedis) -> None:
    time.admit(1)
    time.client.hset(f"{PREFIX}:sentinel", "run", "0" * 40)
    taken = time.bucket().take(5)
    assert (taken.lost, taken.slots) == (True, [])


def test_a_fresh_installation_starts_at_once(time: VirtualRedis) -> None:
    time.admit(1)
    assert len(take(time)) == 1


def test_time_never_goes_back(time: VirtualRedis) -> None:
    time.admit(1)
    call(time)
    before = time.now()
    time.client.hset(CLOCK, mapping={"last": before + 3_600_000, "offset": 0})
    assert time.now() >= before + 3_600_000
    assert time.now() < before + 3_605_000


def test_a_clock_that_jumps_ahead_holds_everything_for_a_minute(time: VirtualRedis) -> None:
    time.admit(1)
    bucket = time.bucket()
    bucket.take(0)
    time.pass_time(30_000)
    assert bucket.take(5).jumped
    time.pass_time(50_000)
    assert take(time) == []
    time.pass_time(11_000)
    assert len(take(time)) == 1


def test_work_that_came_meanwhile_is_not_put_to_rest(time: VirtualRedis) -> None:
    time.admit(1)
    [slot] = take(time)
    time.bucket().ready([1])
    time.bucket().give_back([slot])
    time.bucket().rest([Rest(1, slot.seq, None, blocked=False)])
    assert len(take(time)) == 1


def test_an_account_at_rest_is_looked_at_when_its_delay_is_over(time: VirtualRedis) -> None:
    time.admit(1)
    [slot] = take(time)
    time.bucket().give_back([slot])
    time.bucket().rest([Rest(1, slot.seq, 4.0, blocked=False)])
    assert take(time) == []
    time.pass_time(4_100)
    assert len(take(time)) == 1


def test_what_waits_behind_a_call_in_the_air_is_looked_at_when_it_ends(time: VirtualRedis) -> None:
    time.admit(1)
    [first] = take(time)
    time.pass_time(1_100)
    [second] = take(time)
    time.bucket().give_back([second])
    time.bucket().rest([Rest(1, second.seq, None, blocked=True)])
    assert take(time) == []
    time.bucket().finish([ended(first)])
    assert len(take(time)) == 1


def test_peeking_changes_nothing(time: VirtualRedis) -> None:
    time.admit(1)
    call(time)
    keys = set(time.client.keys("*"))
    view = time.bucket().peek(1)
    assert len(view.back_ms) == 1
    assert view.breaker.state is view.platform_breaker.state is State.CLOSED
    assert time.bucket().peek(77).back_ms == []
    assert set(time.client.keys("*")) == keys


def test_a_slot_says_since_when_it_could_have_been_had(time: VirtualRedis) -> None:
    """Three calls in 10 s, a second apart: since it was admitted, the gap was over, the first slot came back."""
    time.admit(1)
    time.pass_time(5_000)
    [first] = take(time)
    assert first.idle == pytest.approx(5.0, abs=0.2)
    time.bucket().finish([ended(first)])
    time.pass_time(1_500)
    [second] = take(time)
    assert second.idle == pytest.approx(0.45, abs=0.2)
    time.pass_time(1_100)
    [third] = take(time)
    time.bucket().finish([ended(second), ended(third)])
    assert time.bucket().idle([1])[1] == pytest.approx(-7.4, abs=0.2)
    time.pass_time(9_400)
    assert time.bucket().idle([1, 77])[1] == pytest.approx(2.0, abs=0.2)
    [fourth] = take(time)
    assert fourth.idle == pytest.approx(2.0, abs=0.2)
    assert time.bucket().idle([]) == {}
