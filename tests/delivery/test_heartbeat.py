"""Heartbeats: who is alive by the database's clock, and since when nobody is."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.db import database_now, transaction
from app.delivery import heartbeat
from app.delivery.models import WorkerHeartbeat
from app.extensions import db

pytestmark = pytest.mark.usefixtures("any_database", "app")


def _age(name: str, seconds: float) -> None:
    """This worker's last beat lies so far back."""
    with transaction():
        moment = database_now() - timedelta(seconds=seconds)
        db.session.execute(update(WorkerHeartbeat).where(WorkerHeartbeat.name == name).values(beat_at=moment))


def _known() -> list[str]:
    return list(db.session.scalars(select(WorkerHeartbeat.name).order_by(WorkerHeartbeat.name)))


def test_before_the_first_beat_nobody_is_alive() -> None:
    assert heartbeat.alive("delivery") == 0
    assert heartbeat.last("delivery") is None


def test_a_worker_is_alive_from_its_first_beat_on() -> None:
    before = database_now()
    heartbeat.beat("one", "delivery")
    assert heartbeat.alive("delivery") == 1
    seen = heartbeat.last("delivery")
    assert seen is not None
    assert before <= seen <= database_now()


def test_beats_of_one_worker_count_once_and_those_of_others_beside_it() -> None:
    for name in ("one", "one", "two"):
        heartbeat.beat(name, "delivery")
    assert heartbeat.alive("delivery") == 2


def test_kinds_are_counted_apart() -> None:
    heartbeat.beat("one", "delivery")
    heartbeat.beat("two", "background")
    heartbeat.beat("three", "background")
    assert (heartbeat.alive("delivery"), heartbeat.alive("background")) == (1, 2)
    heartbeat.leave("one")
    assert heartbeat.last("delivery") is None
    assert heartbeat.last("background") is not None


@pytest.mark.parametrize(("seconds", "alive"), [(0, 1), (25, 1), (31, 0), (3600, 0)])
def test_a_worker_that_is_silent_for_30_s_is_not_alive_any_more(seconds: float, alive: int) -> None:
    heartbeat.beat("one", "delivery")
    _age("one", seconds)
    assert heartbeat.alive("delivery") == alive
    seen = heartbeat.last("delivery")
    assert seen is not None
    assert abs((database_now() - seen).total_seconds() - seconds) < 4


def test_a_beat_brings_a_silent_worker_back() -> None:
    heartbeat.beat("one", "delivery")
    _age("one", 100)
    heartbeat.beat("one", "delivery")
    assert heartbeat.alive("delivery") == 1


def test_the_last_beat_is_the_newest_of_all() -> None:
    for name, seconds in (("one", 500), ("two", 50), ("three", 5000)):
        heartbeat.beat(name, "delivery")
        _age(name, seconds)
    seen = heartbeat.last("delivery")
    assert seen is not None
    assert 50 <= (database_now() - seen).total_seconds() < 60


def test_who_ends_is_gone_at_once_and_only_they() -> None:
    heartbeat.beat("one", "delivery")
    heartbeat.beat("two", "delivery")
    heartbeat.leave("one")
    heartbeat.leave("stranger")
    assert heartbeat.alive("delivery") == 1
    heartbeat.leave("two")
    assert (heartbeat.alive("delivery"), heartbeat.last("delivery")) == (0, None)


def test_how_long_nobody_was_there_is_known_even_after_all_have_left() -> None:
    assert heartbeat.silence() is None
    heartbeat.beat("one", "delivery")
    _age("one", 4000)
    heartbeat.leave("one")
    silence = heartbeat.silence()
    assert silence is not None
    assert abs(silence.total_seconds() - 4000) < 4


def test_workers_that_ended_a_day_ago_without_a_word_are_forgotten() -> None:
    for name, hours in (("yesterday", 25), ("tonight", 23)):
        heartbeat.beat(name, "background")
        _age(name, hours * 3600)
    heartbeat.beat("now", "delivery")
    assert _known() == ["now", "tonight"]
