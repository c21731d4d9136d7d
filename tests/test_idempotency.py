"""A key of our API: the same key and body have one effect, however many come at once."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import idempotency
from app.accounts.models import AuditEvent, User
from app.accounts.service import audit
from app.clock import now
from app.db import transaction
from app.errors import KeyReused
from app.extensions import db
from app.idempotency import IdempotencyKey, Use

pytestmark = pytest.mark.usefixtures("any_database")


class Stumble(Exception):
    """The verb failed after its key was claimed."""


@pytest.fixture
def use(ada: User) -> Use:
    """Ada sends something with a key."""
    return Use(user_id=ada.id, endpoint="send", key="key-1", body=b'{"text": "hello"}')


def _perform(use: Use) -> int:
    """A verb with an effect, done once for each key: gives the id of what it made."""
    with transaction():
        row = idempotency.claim(use)
        if row.result is None:
            event = AuditEvent(action="effect", details={})
            db.session.add(event)
            db.session.flush()
            row.result = event.id
        return row.result


def _stumble(use: Use) -> None:
    with transaction():
        idempotency.claim(use)
        audit("taken back")
        raise Stumble


def _effects() -> int:
    return db.session.execute(select(func.count()).select_from(AuditEvent)).scalar_one()


def test_the_second_time_gives_the_first_result(use: Use) -> None:
    assert _perform(use) == _perform(use)
    assert _effects() == 1


def test_another_body_is_refused(use: Use) -> None:
    first = _perform(use)
    with pytest.raises(KeyReused):
        _perform(replace(use, body=b'{"text": "hello!"}'))
    assert _perform(use) == first
    assert _effects() == 1


def test_keys_belong_to_a_user_and_an_endpoint(use: Use, max: User) -> None:
    uses = [use, replace(use, user_id=max.id), replace(use, endpoint="bulk"), replace(use, key="KEY-1")]
    assert len({_perform(one) for one in uses}) == 4


def test_what_failed_leaves_the_key_free(use: Use) -> None:
    with pytest.raises(Stumble):
        _stumble(use)
    assert _effects() == 0
    _perform(replace(use, body=b"another"))
    assert _effects() == 1


def test_after_24_hours_a_key_is_new(use: Use) -> None:
    first = _perform(use)
    _age(timedelta(hours=23, minutes=59))
    assert _perform(use) == first
    _age(timedelta(minutes=2))
    assert _perform(replace(use, body=b"another")) != first


def test_old_keys_are_forgotten(use: Use) -> None:
    _perform(use)
    _age(timedelta(hours=25))
    _perform(replace(use, key="key-2"))
    idempotency.forget_old()
    assert db.session.scalars(select(IdempotencyKey.key)).all() == ["key-2"]


def _age(by: timedelta) -> None:
    with transaction():
        for row in db.session.scalars(select(IdempotencyKey)):
            row.created_at = row.created_at - by


@pytest.mark.parametrize("also_an_old_one", [False, True])
def test_many_at_once_have_one_effect(app: Flask, use: Use, also_an_old_one: bool) -> None:
    if also_an_old_one:
        _perform(replace(use, body=b"yesterday's"))
        _age(timedelta(hours=25))
    before = _effects()
    db.session.remove()
    results: list[int] = []
    together = threading.Barrier(8)

    def come() -> None:
        with app.app_context():
            together.wait(timeout=10)
            for _ in range(5):
                results.append(_perform(use))
                db.session.remove()

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == 40
    assert len(set(results)) == 1
    assert _effects() == before + 1
    assert now() - db.session.scalars(select(IdempotencyKey)).one().created_at < timedelta(minutes=2)
