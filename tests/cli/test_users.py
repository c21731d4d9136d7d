"""`flask users` makes people, gives them passwords and locks them out, and writes down that it did."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import second_factor
from app.accounts import service as accounts
from app.accounts.models import AuditEvent, LoginSession, SecondFactor, TokenFamily, User
from app.clock import now
from app.db import transaction
from app.errors import NotSignedIn
from app.extensions import db
from tests.support.apps import RunCli
from tests.support.cast import PASSWORD

NEW = "a-new-password-2"


def _events() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def _signed_in_everywhere(user: User) -> None:
    with transaction():
        later = now() + timedelta(days=1)
        db.session.add(LoginSession(user_id=user.id, token_hash="a" * 64, expires_at=later))
        db.session.add(TokenFamily(user_id=user.id))


def _signed_in(user: User) -> int:
    sessions = db.session.scalars(select(LoginSession).where(LoginSession.user_id == user.id)).all()
    families = select(TokenFamily).where(TokenFamily.user_id == user.id, TokenFamily.ended_at.is_(None))
    return len(sessions) + len(db.session.scalars(families).all())


@pytest.mark.parametrize("role", ["creator", "manager", "operator"])
def test_a_user_is_created_and_can_sign_in(run_cli: RunCli, role: str) -> None:
    result = run_cli("users", "create", "New.Person@example.com", "--name", " New ", "--role", role, input=f"{NEW}\n")
    assert result.exit_code == 0, result.output
    user = accounts.authenticate("new.person@example.com", NEW)
    assert (user.name, user.role) == ("New", role)
    assert _events() == ["user.created"]
    assert NEW not in result.output


@pytest.mark.parametrize(
    ("email", "name", "password", "says"),
    [
        ("nobody", "New", NEW, "@-sign"),
        ("new@example.com", " ", NEW, "1 to 100 characters"),
        ("new@example.com", "x" * 101, NEW, "1 to 100 characters"),
        ("new@example.com", "New", "short", "password: Use 10 to 200 characters"),
        ("new@example.com", "New", "", "password: Use 10 to 200 characters"),
        ("ada@example.com", "New", NEW, "exists already"),
        ("ADA@example.com", "New", NEW, "exists already"),
    ],
)
@pytest.mark.usefixtures("cast")
def test_what_makes_no_sense_is_refused(run_cli: RunCli, email: str, name: str, password: str, says: str) -> None:
    result = run_cli("users", "create", email, "--name", name, "--role", "creator", input=f"{password}\n")
    assert result.exit_code in (1, 2)
    assert says in result.output
    assert "Traceback" not in result.output
    assert _events() == []


def test_a_new_password_signs_out_everywhere(run_cli: RunCli, ada: User) -> None:
    _signed_in_everywhere(ada)
    result = run_cli("users", "password", "ada@example.com", input=f"{NEW}\n")
    assert result.exit_code == 0, result.output
    assert _signed_in(ada) == 0
    assert accounts.authenticate("ada@example.com", NEW).id == ada.id
    with pytest.raises(NotSignedIn):
        accounts.authenticate("ada@example.com", PASSWORD)
    assert _events() == ["password.changed"]


def test_a_bad_password_changes_nothing(run_cli: RunCli, ada: User) -> None:
    assert run_cli("users", "password", "ada@example.com", input="short\n").exit_code == 1
    assert accounts.authenticate("ada@example.com", PASSWORD).id == ada.id


def test_a_disabled_user_is_out_at_once(run_cli: RunCli, ada: User) -> None:
    _signed_in_everywhere(ada)
    for _ in range(2):
        assert run_cli("users", "disable", "ada@example.com").exit_code == 0
    assert _signed_in(ada) == 0
    assert _events() == ["user.disabled"]
    with pytest.raises(NotSignedIn):
        accounts.authenticate("ada@example.com", PASSWORD)


@pytest.mark.parametrize("command", ["password", "disable"])
@pytest.mark.usefixtures("cast")
def test_nobody_of_that_address_is_one_line(run_cli: RunCli, command: str) -> None:
    result = run_cli("users", command, "stranger@example.com", input=f"{NEW}\n")
    assert (result.exit_code, result.output) == (1, "Error: Nobody has this e-mail address\n")


def test_a_lost_second_factor_is_taken_off(run_cli: RunCli, ada: User) -> None:
    with transaction():
        db.session.add(SecondFactor(user_id=ada.id, secret_encrypted="sealed", confirmed_at=now()))
    _signed_in_everywhere(ada)
    result = run_cli("users", "reset-second-factor", "Ada@example.com")
    assert result.exit_code == 0, result.output
    assert (second_factor.is_on(ada), _signed_in(ada)) == (False, 0)
    assert _events() == ["second_factor.off"]
    assert run_cli("users", "reset-second-factor", "nobody@example.com").exit_code == 1
