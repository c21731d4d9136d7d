"""When a message will go: the estimate against a sender as quick as the limit lets it be, and the line itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.accounts.models import Account
from app.db import database_now, transaction
from app.delivery import stop
from app.delivery.circuit_breaker import Breaker, State
from app.delivery.estimate import CALL_SECONDS, expected_at, situation, slot_after, standstill
from app.delivery.token_bucket import View
from app.extensions import db
from app.messages.models import Message, Priority, Status
from config import RateLimit
from tests.messages.line import change, fresh, must_claim, queue
from tests.support.cast import Cast
from tests.support.queries import count_queries

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
LIMIT = RateLimit(messages=10, window=60.0, min_gap=3.0)
TICK = 50
CLOSED = Breaker(State.CLOSED, 0)
QUIET = View(now_ms=1_000_000, start_ms=0, hold_ms=0, back_ms=[], breaker=CLOSED, platform_breaker=CLOSED)


def _start(used: list[int], last_start: int, place: int, limit: RateLimit) -> int:
    """The ms at which a sender that looks at every tick starts its `place`-th call."""
    now, last, back = 0, -last_start, list(used)
    while True:
        taken = sum(moment > now for moment in back)
        if taken < limit.messages and now - last >= limit.min_gap * 1000:
            place -= 1
            if place == 0:
                return now
            last = now
            back.append(now + round((CALL_SECONDS + limit.window) * 1000))
        else:
            now += TICK


def _ticks(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least // TICK, most // TICK).map(lambda ticks: ticks * TICK)


@settings(max_examples=75)
@given(data=st.data(), messages=st.integers(1, 6), window=_ticks(1000, 8000), place=st.integers(1, 20))
def test_a_greedy_sender_starts_when_the_estimate_says(
    data: st.DataObject, messages: int, window: int, place: int
) -> None:
    gap = data.draw(_ticks(TICK, window // messages), label="gap")
    used = data.draw(st.lists(_ticks(TICK, window + 300), max_size=messages), label="used")
    last_start = data.draw(_ticks(0, 2 * window), label="last start")
    limit = RateLimit(messages=messages, window=window / 1000, min_gap=gap / 1000)
    estimated = slot_after([moment / 1000 for moment in used], last_start / 1000, place, limit)
    assert estimated == pytest.approx(_start(used, last_start, place, limit) / 1000, abs=TICK / 1000 + 0.001)


@pytest.mark.parametrize(
    ("used", "last_start", "place", "seconds"),
    [
        ([], 100, 1, 0),
        ([], 1, 1, 2),
        ([], 100, 2, 3),
        ([], 100, 10, 27),
        ([], 100, 11, 60.3),
        ([], 100, 21, 120.6),
        ([20.0] * 10, 100, 1, 20),
        ([20.0] * 10, 100, 2, 23),
        ([-5.0] * 10, 100, 1, 0),
    ],
)
def test_places_and_their_times(used: list[float], last_start: float, place: int, seconds: float) -> None:
    assert slot_after(used, last_start, place, LIMIT) == pytest.approx(seconds)


def test_the_expected_time_reads_the_bucket() -> None:
    now_ms = QUIET.now_ms
    assert expected_at(QUIET, 1, LIMIT, NOW) == NOW
    just_started = replace(QUIET, start_ms=now_ms - 1000)
    assert expected_at(just_started, 1, LIMIT, NOW) == NOW + timedelta(seconds=2)
    used_up = replace(QUIET, back_ms=[now_ms + 40_000] * 10)
    assert expected_at(used_up, 1, LIMIT, NOW) == NOW + timedelta(seconds=40)
    held = replace(used_up, hold_ms=now_ms + 55_000)
    assert expected_at(held, 1, LIMIT, NOW) == NOW + timedelta(seconds=55)


@pytest.mark.usefixtures("any_database")
def test_the_line_goes_by_priority_then_due_time_then_number(cast: Cast) -> None:
    tom, uma, vic = cast.conversations[:3]
    low = queue(cast.ada, tom, priority=Priority.LOW)
    normal = queue(cast.ada, uma, priority=Priority.NORMAL)
    second, first, third = (queue(cast.ada, conversation) for conversation in (tom, uma, vic))
    moment = database_now() - timedelta(hours=1)
    change(first, due_at=moment - timedelta(hours=1))
    for message in (second, third):
        change(message, due_at=moment)
    queue(cast.eve, cast.eves_conversation)
    everything = [fresh(message) for message in (low, normal, second, first, third)]
    assert _places(cast, everything) == [5, 4, 2, 1, 3]
    assert _places(cast, [normal]) == [4]


def _places(cast: Cast, messages: list[Message]) -> list[int]:
    places = situation(cast.account.id, messages).places
    assert set(places) == {message.id for message in messages}
    return [places[message.id] for message in messages]


@pytest.mark.usefixtures("any_database")
def test_an_account_stands_for_who_only_looks_as_inside_a_transaction(cast: Cast) -> None:
    waiting = [fresh(queue(cast.ada, cast.conversations[number])) for number in range(3)]
    moment = database_now()
    change_account = {"paused_until": moment, "reconnect_since": moment, "pause_reason": "Sign in 🌷"}
    with transaction():
        db.session.execute(update(Account).where(Account.id == cast.account.id).values(change_account))
        inside = [situation(cast.account.id, waiting[:number]) for number in range(4)]
    db.session.rollback()
    assert [situation(cast.account.id, waiting[:number]) for number in range(4)] == inside
    assert [sorted(one.places.values()) for one in inside] == [[], [1], [1, 2], [1, 2, 3]]
    assert (inside[0].paused_until, inside[0].reconnect_since, inside[0].stopped_at) == (moment, moment, None)
    assert (inside[0].pause_reason, inside[0].worker, inside[0].stop) == ("Sign in 🌷", False, False)


@pytest.mark.usefixtures("any_database")
def test_the_line_is_the_one_that_claims_follow(cast: Cast) -> None:
    priorities = (Priority.LOW, Priority.HIGH, Priority.NORMAL)
    pairs = zip(cast.conversations[:3], priorities, strict=True)
    waiting = [queue(cast.ada, conversation, priority=priority) for conversation, priority in pairs]
    places = situation(cast.account.id, waiting).places
    claimed = [must_claim(cast.account).message_id for _ in waiting]
    assert claimed == sorted(places, key=places.__getitem__)


def test_what_does_not_wait_has_no_place(cast: Cast) -> None:
    tom, uma, vic = cast.conversations[:3]
    sent, held, scheduled, waits = (queue(cast.ada, conversation) for conversation in (tom, uma, vic, tom))
    change(sent, status=Status.SENT)
    change(held, held=True)
    change(scheduled, status=Status.SCHEDULED)
    messages = [fresh(message) for message in (sent, held, scheduled, waits)]
    assert situation(cast.account.id, messages).places == {waits.id: 1}
    assert situation(cast.account.id, messages[:1]).places == {}


def test_many_places_are_one_question(cast: Cast) -> None:
    messages = [fresh(queue(cast.ada, cast.conversations[number % 3])) for number in range(12)]
    with count_queries() as statements:
        assert len(situation(cast.account.id, messages).places) == 12
    assert len(statements) == 1


OPEN = Breaker(State.OPEN, 5)


@pytest.mark.parametrize(
    ("values", "view", "enabled", "alive", "words"),
    [
        ({}, QUIET, True, True, None),
        ({"paused_until": NOW}, QUIET, True, True, None),
        ({}, QUIET, False, True, "Sending is stopped for everybody"),
        ({"stopped_at": NOW}, QUIET, True, True, "Sending is stopped for this account"),
        ({"reconnect_since": NOW, "pause_reason": "Sign in again"}, QUIET, True, True, "Sign in again"),
        ({"reconnect_since": NOW}, QUIET, True, True, "The account must be connected again"),
        ({"paused_until": NOW + timedelta(seconds=1)}, QUIET, True, True, "The platform asked this account to pause"),
        ({}, None, True, True, "(Redis) can't be reached"),
        ({}, QUIET, True, False, "No worker is running"),
        ({}, replace(QUIET, platform_breaker=OPEN), True, True, "The platform doesn't answer; it is tried"),
        ({}, replace(QUIET, breaker=OPEN), True, True, "The platform doesn't answer for this account"),
        ({"stopped_at": NOW}, None, True, False, "Sending is stopped for this account"),
    ],
)
def test_a_standstill_has_a_reason_in_plain_words(
    cast: Cast, values: dict[str, object], view: View | None, enabled: bool, alive: bool, words: str | None
) -> None:
    for name, value in values.items():
        setattr(cast.account, name, value)
    reason = standstill(cast.account, view, NOW, enabled, alive)
    assert reason == words if words is None else words in (reason or "")
    db.session.rollback()


def test_the_stop_is_a_standstill_for_everybody(cast: Cast) -> None:
    stop.set_stop(None)
    assert situation(cast.account.id).stop
    assert "stopped for everybody" in (standstill(cast.account, QUIET, NOW, False, True) or "")
    stop.clear_stop(None)
    assert not situation(cast.account.id).stop
