"""Signing in, passwords, and the stop of one account."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher, profiles
from flask import Flask
from sqlalchemy import select

from app.accounts import service
from app.accounts.models import Account, AuditEvent, LoginSession, Role, TokenFamily, User
from app.clock import now
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound, NotSignedIn
from app.extensions import db
from tests.support.cast import PASSWORD, Cast

NEW = "another-password-2"
NOBODY = "nobody@example.com"


def _sign_in_everywhere(user: User) -> None:
    with transaction():
        db.session.add(LoginSession(user_id=user.id, token_hash=f"{user.id:064}", expires_at=now() + timedelta(days=1)))
        db.session.add(TokenFamily(user_id=user.id))


def _signed_in(user: User) -> tuple[int, int]:
    sessions = db.session.scalars(select(LoginSession.id).where(LoginSession.user_id == user.id)).all()
    families = select(TokenFamily.id).where(TokenFamily.user_id == user.id, TokenFamily.ended_at.is_(None))
    return len(sessions), len(db.session.scalars(families).all())


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.Com", "  ada@example.com\n"])
def test_the_right_password_signs_in(ada: User, email: str) -> None:
    assert service.authenticate(email, PASSWORD) is ada


@pytest.mark.usefixtures("any_database", "cast")
@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "demo-password-2"),
        ("ada@example.com", ""),
        ("ada@example.com", PASSWORD + " "),
        ("ada@example.com", "\ud800"),
        ("ada@example.com", "x" * 100_000),
        (NOBODY, PASSWORD),
        ("", ""),
        ("ada@example.com\x00", PASSWORD),
        ("\ud800@example.com", PASSWORD),
    ],
)
def test_anything_else_gets_one_answer(email: str, password: str) -> None:
    with pytest.raises(NotSignedIn) as refused:
        service.authenticate(email, password)
    assert refused.value.message == service.BAD_CREDENTIALS


def test_a_disabled_user_gets_that_answer_too(ada: User) -> None:
    with transaction():
        ada.disabled_at = now()
    with pytest.raises(NotSignedIn, match=service.BAD_CREDENTIALS):
        service.authenticate(ada.email, PASSWORD)


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("email", ["ada@example.com", NOBODY])
def test_a_wrong_password_is_verified_whoever_it_is_for(email: str) -> None:
    watched = patch.object(PasswordHasher, "verify", autospec=True, side_effect=PasswordHasher.verify)
    with watched as verify, pytest.raises(NotSignedIn):
        service.authenticate(email, "demo-password-2")
    assert verify.call_count == 1


def test_signing_in_renews_a_hash_made_with_other_parameters(ada: User) -> None:
    old = PasswordHasher.from_parameters(profiles.CHEAPEST)
    old = PasswordHasher(time_cost=old.time_cost + 1, memory_cost=old.memory_cost, parallelism=old.parallelism)
    with transaction():
        ada.password_hash = old.hash(PASSWORD)
    before = ada.password_hash
    service.authenticate(ada.email, PASSWORD)
    db.session.refresh(ada)
    assert ada.password_hash != before
    assert service.authenticate(ada.email, PASSWORD) is ada


def test_an_address_exists_once_whatever_its_case(ada: User) -> None:
    with pytest.raises(Conflict):
        service.create_user(" Ada@EXAMPLE.com ", "Another", Role.CREATOR, NEW)


@pytest.mark.parametrize("length", [0, 9, 201])
def test_a_password_has_10_to_200_characters(app: Flask, length: int) -> None:
    with pytest.raises(Invalid) as refused:
        service.create_user(NOBODY, "Nobody", Role.CREATOR, "p" * length)
    assert [problem.field for problem in refused.value.problems] == ["password"]
    assert db.session.scalars(select(User)).all() == []


@pytest.mark.parametrize("password", ["p" * 10, "p" * 200, "ünïcödé-pässwörd", "🔑" * 10])
def test_any_characters_will_do(app: Flask, password: str) -> None:
    service.create_user(NOBODY, "Nobody", Role.CREATOR, password)
    assert service.authenticate(NOBODY, password).email == NOBODY


def test_no_password_is_kept_as_it_is(app: Flask) -> None:
    users = [service.create_user(f"{name}@example.com", name, Role.CREATOR, PASSWORD) for name in ("tess", "theo")]
    hashes = [user.password_hash for user in users]
    assert all(stored.startswith("$argon2id$") and PASSWORD not in stored for stored in hashes)
    assert hashes[0] != hashes[1]


@pytest.mark.usefixtures("any_database")
def test_a_new_password_ends_every_session_and_token_of_hers_alone(cast: Cast) -> None:
    for user in (cast.ada, cast.eve):
        _sign_in_everywhere(user)
    service.change_password(cast.ada, NEW)
    assert _signed_in(cast.ada) == (0, 0)
    assert _signed_in(cast.eve) == (1, 1)
    assert service.authenticate(cast.ada.email, NEW) is cast.ada
    with pytest.raises(NotSignedIn):
        service.authenticate(cast.ada.email, PASSWORD)


def test_a_bad_new_password_changes_nothing(ada: User) -> None:
    _sign_in_everywhere(ada)
    with pytest.raises(Invalid):
        service.change_password(ada, "short")
    assert _signed_in(ada) == (1, 1)
    assert service.authenticate(ada.email, PASSWORD) is ada


def test_creator_and_manager_stop_and_resume_an_account(cast: Cast) -> None:
    service.stop_account(cast.ada, cast.account.id)
    since = cast.account.stopped_at
    assert since is not None
    service.stop_account(cast.max, cast.account.id)
    assert cast.account.stopped_at == since
    service.resume_account(cast.max, cast.account.id)
    assert db.session.scalar(select(Account.stopped_at).where(Account.id == cast.account.id)) is None
    actions = select(AuditEvent.action, AuditEvent.user_id).where(AuditEvent.account_id == cast.account.id)
    assert [tuple(row) for row in db.session.execute(actions.order_by(AuditEvent.id))] == [
        ("account.stopped", cast.ada.id),
        ("account.stopped", cast.max.id),
        ("account.resumed", cast.max.id),
    ]


def test_nobody_else_can_stop_or_resume_it(cast: Cast) -> None:
    for stranger in (cast.eve, cast.olga, cast.bea):
        for verb in (service.stop_account, service.resume_account):
            with pytest.raises(NotFound):
                verb(stranger, cast.account.id)
    assert cast.account.stopped_at is None


def test_the_audit_log_holds_no_address_and_no_secret(cast: Cast) -> None:
    service.change_password(cast.ada, NEW)
    written = str([(event.action, event.details) for event in db.session.scalars(select(AuditEvent))])
    assert "example.com" not in written
    assert NEW not in written
