"""One commit: what is done inside a transaction happens together, and effects leave after it."""

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import Text, func, select
from sqlalchemy import cast as as_text
from sqlalchemy.exc import IntegrityError, StatementError

from app.accounts.models import AuditEvent, User
from app.accounts.service import audit
from app.clock import iso, now
from app.conversations.models import Conversation
from app.db import Written, _writers, database_now, insert_unless_there, moment_of, on_commit, transaction
from app.extensions import db
from app.fans.models import Fan
from app.reads import read
from tests.support.cast import Cast
from tests.support.stumble import Stumble, stumble_after

pytestmark = pytest.mark.usefixtures("any_database")


def _stored() -> int:
    """What another connection sees."""
    with db.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(AuditEvent)).scalar_one()


def test_a_moment_is_written_by_the_database_as_everywhere_else(cast: Cast) -> None:
    moment = datetime(2026, 11, 1, 23, 59, 59, 999_900, tzinfo=UTC)
    with transaction():
        cast.conversations[0].last_message_at = moment
    at = Conversation.last_message_at
    rows = read(select(Written(at), as_text(at, Text)).where(at.is_not(None)), {})
    assert [(row[0], moment_of(row[1])) for row in rows] == [(iso(moment), moment)]


def test_the_outermost_one_commits(app: Flask) -> None:
    with transaction():
        with transaction():
            audit("inner")
        assert _stored() == 0
        audit("outer")
    assert _stored() == 2


def test_writers_of_one_process_take_turns_where_the_database_has_one_at_a_time(app: Flask) -> None:
    let_in = threading.Event()

    def write() -> None:
        with app.app_context(), transaction():
            let_in.set()

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            audit("first")
            second = pool.submit(write)
            assert let_in.wait(0.3) == (db.engine.dialect.name != "sqlite")
        second.result(10)
    assert let_in.is_set()


def test_a_fork_waits_for_no_writer_of_its_parent(app: Flask) -> None:
    writes, over = threading.Event(), threading.Event()

    def write() -> None:
        with app.app_context(), transaction():
            writes.set()
            over.wait(10)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(write)
        assert writes.wait(10)
        child = os.fork()
        if child == 0:
            os._exit(0 if _writers.lock.acquire(timeout=5) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        over.set()


def test_a_failure_takes_everything_back(app: Flask) -> None:
    with pytest.raises(Stumble):
        stumble_after(lambda: audit("a verb with a transaction of its own"))
    assert _stored() == 0


def test_an_inner_failure_takes_everything_back(app: Flask) -> None:
    def outer() -> None:
        with transaction():
            audit("outer")
            stumble_after(lambda: audit("inner"))

    with pytest.raises(Stumble):
        outer()
    assert _stored() == 0


def test_the_next_one_is_not_harmed_by_a_failure(app: Flask) -> None:
    db.session.add(User(email=None, name="x", role="creator", password_hash="x"))
    with pytest.raises(IntegrityError), transaction():
        db.session.flush()
    with transaction():
        audit("later")
    assert _stored() == 1


def test_effects_leave_after_the_outermost_commit_in_order(app: Flask) -> None:
    seen: list[tuple[str, int]] = []
    with transaction():
        with transaction():
            audit("done")
            on_commit(lambda: seen.append(("first", _stored())))
        on_commit(lambda: seen.append(("second", _stored())))
        assert seen == []
    assert seen == [("first", 1), ("second", 1)]


def test_effects_of_what_was_taken_back_never_leave(app: Flask) -> None:
    seen: list[str] = []
    with pytest.raises(Stumble):
        stumble_after(lambda: on_commit(lambda: seen.append("effect")))
    with transaction():
        audit("next")
    assert seen == []


def test_an_effect_that_fails_is_logged_and_harms_nobody(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def stumble() -> None:
        raise Stumble

    seen: list[str] = []
    with caplog.at_level(logging.ERROR), transaction():
        on_commit(stumble)
        on_commit(lambda: seen.append("other"))
    assert seen == ["other"]
    assert "effect_failed" in caplog.text


def test_an_effect_may_open_a_transaction_with_effects_of_its_own(app: Flask) -> None:
    seen: list[int] = []

    def effect() -> None:
        with transaction():
            audit("from the effect")
            on_commit(lambda: seen.append(_stored()))

    with transaction():
        audit("first")
        on_commit(effect)
    assert seen == [2]


def test_threads_have_transactions_of_their_own(app: Flask) -> None:
    def other() -> None:
        with app.app_context(), transaction():
            audit("theirs")

    thread = threading.Thread(target=other)
    with pytest.raises(Stumble):
        stumble_after(lambda: audit("mine"), thread.start)
    thread.join(timeout=10)
    with db.engine.connect() as connection:
        assert connection.scalars(select(AuditEvent.action)).all() == ["theirs"]


def test_times_come_back_as_they_went_in(cast: Cast) -> None:
    moment = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with transaction():
        cast.fans[0].last_seen_at = moment
    db.session.expire_all()
    stored = cast.fans[0].last_seen_at
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC
    found = select(Fan.id).where(Fan.last_seen_at == moment.astimezone(UTC))
    assert db.session.scalars(found).all() == [cast.fans[0].id]


def test_a_time_without_a_zone_is_refused(cast: Cast) -> None:
    cast.fans[0].last_seen_at = datetime(2026, 11, 1)  # noqa: DTZ001
    with pytest.raises(StatementError), transaction():
        db.session.flush()


def test_the_databases_clock_is_aware_and_moves_inside_a_transaction(app: Flask) -> None:
    with transaction():
        first = database_now()
        assert abs(first - now()) < timedelta(seconds=5)
        db.session.execute(select(func.count()).select_from(User))
        while (second := database_now()) == first:
            pass
    assert second > first


def test_insert_unless_there_leaves_out_what_is_refused(cast: Cast) -> None:
    fan, nameless = cast.fans[0], Fan(account_id=cast.account.id, name="Late", handle="late")
    with transaction():
        db.session.add(nameless)
        db.session.flush()
        there = {"account_id": cast.account.id, "fan_id": fan.id}
        insert_unless_there(Conversation, [there, {"account_id": cast.account.id, "fan_id": nameless.id}])
    rows = db.session.scalars(select(Conversation).where(Conversation.fan_id.in_([fan.id, nameless.id]))).all()
    assert sorted(row.fan_id for row in rows) == [fan.id, nameless.id]
    assert all(row.created_at and row.unread_count == 0 for row in rows)
