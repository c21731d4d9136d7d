"""Conversations are opened once, show their newest message, and are read by those whose they are."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.clock import now
from app.conversations import service
from app.conversations.models import Conversation
from app.db import transaction
from app.errors import NotFound
from app.extensions import db
from app.fans.models import Fan
from tests.support.cast import Cast


@pytest.mark.usefixtures("any_database")
def test_opening_one_twice_gives_the_same(cast: Cast) -> None:
    assert service.open_with(cast.fans[0]) is cast.conversations[0]


@pytest.mark.usefixtures("any_database")
def test_many_who_open_it_at_once_get_one(app: Flask, cast: Cast) -> None:
    with transaction():
        newcomer = Fan(account_id=cast.account.id, platform_id="5005", name="New")
        db.session.add(newcomer)
    fan_id = newcomer.id
    db.session.remove()
    together = threading.Barrier(6)
    found: list[int] = []

    def come() -> None:
        with app.app_context():
            fan = db.session.get_one(Fan, fan_id)
            together.wait(timeout=10)
            found.append(service.open_with(fan).id)

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(found) == 6
    assert len(set(found)) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=300)), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_it_shows_the_newest_message_in_whatever_order_they_come(
    conversation: Conversation, arrivals: list[tuple[int, str]]
) -> None:
    base = now() + timedelta(days=1)
    with transaction():
        conversation.last_message_at = None
        conversation.version = 0
    for minutes, text in arrivals:
        service.touch(conversation.id, text.replace("\x00", ""), base + timedelta(minutes=minutes))
    db.session.refresh(conversation)
    newest = max(minutes for minutes, _ in arrivals)
    last = [text for minutes, text in arrivals if minutes == newest][-1].replace("\x00", "")
    assert conversation.last_message_at == base + timedelta(minutes=newest)
    assert conversation.last_message == last[: service.PREVIEW_LENGTH]
    assert conversation.version == len(arrivals)


def test_what_changed_gets_a_new_version_and_nothing_else_does(cast: Cast) -> None:
    before = _versions(cast)
    service.changed([conversation.id for conversation in cast.conversations[:2]])
    service.changed([])
    assert _grown(cast, before) == [1, 1, 0, 0]


@pytest.mark.usefixtures("any_database")
def test_a_fans_conversation_is_another_once_its_fan_is(cast: Cast) -> None:
    before = _versions(cast)
    service.fans_changed([cast.fans[2].id, cast.fans[0].id])
    service.fans_changed([])
    assert _grown(cast, before) == [1, 0, 1, 0]


def test_conversations_begin_with_different_versions(cast: Cast) -> None:
    assert len(set(_versions(cast))) == len(cast.conversations)
    with transaction():
        newcomers = [Fan(account_id=cast.account.id, platform_id=f"55{n}", name="New") for n in range(3)]
        db.session.add_all(newcomers)
        db.session.flush()
        opened = service.open_all(cast.account.id, [fan.id for fan in newcomers])
    made = db.session.scalars(select(Conversation.version).where(Conversation.id.in_(opened.values())))
    assert len(set(made)) == 3


def _versions(cast: Cast) -> list[int]:
    db.session.expire_all()
    return [conversation.version for conversation in cast.conversations]


def _grown(cast: Cast, before: list[int]) -> list[int]:
    return [now - then for now, then in zip(_versions(cast), before, strict=True)]


@pytest.mark.usefixtures("any_database")
def test_reading_empties_the_count_for_its_people_alone(cast: Cast) -> None:
    conversation = cast.conversations[0]
    for viewer in (cast.eve, cast.olga, cast.bea):
        with transaction():
            conversation.unread_count = 3
        with pytest.raises(NotFound):
            service.mark_read(viewer, conversation.id)
        assert _unread(conversation) == 3
    for viewer in (cast.ada, cast.max):
        with transaction():
            db.session.refresh(conversation)
            conversation.unread_count = 3
        service.mark_read(viewer, conversation.id)
        assert _unread(conversation) == 0


def test_nobody_reads_what_is_not_there(cast: Cast) -> None:
    with pytest.raises(NotFound):
        service.mark_read(cast.ada, 999)


def _unread(conversation: Conversation) -> int:
    return db.session.execute(select(Conversation.unread_count).where(Conversation.id == conversation.id)).scalar_one()
