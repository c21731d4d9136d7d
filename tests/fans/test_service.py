"""A fan is found by the platform's id, or made; never twice."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts.models import Account
from app.db import transaction
from app.extensions import db
from app.fans import service
from app.fans.models import Fan
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


def test_a_known_fan_is_found(account: Account, fan: Fan) -> None:
    assert service.ensure(account.id, "1001") is fan


def test_an_unknown_one_becomes_a_fan_of_the_account(account: Account) -> None:
    fan = service.ensure(account.id, "424242")
    db.session.expire_all()
    assert (fan.account_id, fan.platform_id, fan.name) == (account.id, "424242", "424242")
    assert (fan.status, fan.tags, fan.notes, fan.value_cents, fan.handle) == ("active", [], "", 0, None)
    assert fan.created_at is not None


def test_the_same_id_of_another_account_is_another_fan(cast: Cast) -> None:
    assert service.ensure(cast.eves_account.id, "1001").id != cast.fans[0].id


def test_many_at_once_make_one(app: Flask, account: Account) -> None:
    account_id = account.id
    db.session.remove()
    found: list[int] = []
    together = threading.Barrier(6)

    def come() -> None:
        with app.app_context():
            together.wait(timeout=10)
            found.append(service.ensure(account_id, "777").id)

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(found) == 6
    assert len(set(found)) == 1


def test_many_accounts_worth_of_nameless_fans_can_live_together(account: Account) -> None:
    with transaction():
        db.session.add_all(Fan(account_id=account.id, name="Nobody") for _ in range(3))
    assert len(db.session.scalars(select(Fan).where(Fan.platform_id.is_(None))).all()) == 4


def test_unreachable_fans_are_marked(cast: Cast) -> None:
    service.mark_unreachable([cast.fans[0].id, cast.fans[1].id])
    db.session.expire_all()
    assert [fan.unreachable_at is not None for fan in cast.fans] == [True, True, False, False]
    service.mark_unreachable([])
