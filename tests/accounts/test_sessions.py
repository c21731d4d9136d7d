"""Sessions of browsers: how long they live, what renews them, what ends them."""

import hashlib
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.accounts import service, sessions
from app.accounts.models import LoginSession, User
from app.clock import now
from app.db import transaction
from app.extensions import db
from tests.support.queries import count_queries


@pytest.fixture
def start() -> datetime:
    """When the story begins."""
    return now()


def _at(start: datetime, later: timedelta) -> time_machine.travel:
    return time_machine.travel(start + later, tick=False)


def test_a_token_is_known_by_its_hash_alone(any_database: str, ada: User) -> None:
    token = sessions.start(ada, "A browser " * 100)
    row = db.session.scalars(select(LoginSession)).one()
    assert row.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert len(row.user_agent) == 200
    assert sessions.user_of(token) is ada


@pytest.mark.parametrize("token", ["", "no such token", "ü" * 500, "\ud800"])
def test_other_tokens_belong_to_nobody(ada: User, token: str) -> None:
    sessions.start(ada)
    assert sessions.user_of(token) is None
    sessions.end(token)


def test_it_ends_when_nothing_happens_for_a_day(ada: User, start: datetime) -> None:
    token = sessions.start(ada)
    with _at(start, sessions.IDLE - timedelta(seconds=1)):
        assert sessions.user_of(token, renew=False) is ada
    with _at(start, sessions.IDLE + timedelta(seconds=1)):
        assert sessions.user_of(token) is None


def test_pages_keep_it_alive_and_polls_do_not(ada: User, start: datetime) -> None:
    read, left = sessions.start(ada), sessions.start(ada)
    with _at(start, timedelta(hours=20)):
        assert sessions.user_of(read)
        assert sessions.user_of(left, renew=False)
    with _at(start, timedelta(hours=30)):
        assert sessions.user_of(read)
        assert sessions.user_of(left) is None


def test_nothing_keeps_it_alive_for_ever(ada: User, start: datetime) -> None:
    token = sessions.start(ada)
    for hours in range(0, 14 * 24, 12):
        with _at(start, timedelta(hours=hours)):
            assert sessions.user_of(token)
    with _at(start, sessions.ABSOLUTE + timedelta(seconds=1)):
        assert sessions.user_of(token) is None


def test_it_is_renewed_once_a_minute_at_most(ada: User, start: datetime) -> None:
    token = sessions.start(ada)
    with _at(start, timedelta(seconds=50)), count_queries() as quiet:
        sessions.user_of(token)
    with _at(start, timedelta(seconds=70)), count_queries() as renewing:
        sessions.user_of(token)
    assert len(quiet) == 1
    assert len([statement for statement in renewing if statement.startswith("UPDATE")]) == 1


def test_signing_out_ends_this_browser_only(ada: User) -> None:
    here, there = sessions.start(ada), sessions.start(ada)
    sessions.end(here)
    assert sessions.user_of(here) is None
    assert sessions.user_of(there) is ada


def test_a_new_password_ends_all_of_them(ada: User, eve: User) -> None:
    tokens = [sessions.start(ada), sessions.start(ada)]
    eves = sessions.start(eve)
    service.change_password(ada, "a new password")
    assert [sessions.user_of(token) for token in tokens] == [None, None]
    assert sessions.user_of(eves) is eve


def test_a_disabled_user_is_out_at_once(ada: User) -> None:
    token = sessions.start(ada)
    with transaction():
        ada.disabled_at = now()
        db.session.add(ada)
    assert sessions.user_of(token) is None


def test_expired_ones_are_cleared_away(ada: User, start: datetime) -> None:
    sessions.start(ada)
    with _at(start, timedelta(days=2)):
        sessions.start(ada)
    assert len(db.session.scalars(select(LoginSession)).all()) == 1
