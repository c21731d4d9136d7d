"""What the command line does to users and accounts."""

import pytest
from sqlalchemy import select

from app.accounts import operating
from app.accounts.models import Account, AuditEvent, Role, User
from app.errors import NotFound
from app.extensions import db

pytestmark = pytest.mark.usefixtures("any_database")


def _actions() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_what_it_does_is_written_down(account: Account, ada: User) -> None:
    operating.create_user("new@example.com", "New", Role.MANAGER, "a-long-password")
    operating.set_password("ADA@example.com", "another-password")
    operating.disable("new@example.com")
    operating.stop(account.platform_id)
    operating.resume(account.platform_id)
    assert _actions() == ["user.created", "password.changed", "user.disabled", "account.stopped", "account.resumed"]


def test_stopped_accounts_are_listed_from_the_first_stop_on(account: Account) -> None:
    assert operating.stopped() == []
    since = operating.stop(account.platform_id).stopped_at
    assert operating.stop(account.platform_id).stopped_at == since
    operating.stop("acct_demo_eve")
    assert [one.platform_id for one in operating.stopped()] == ["acct_demo_ada", "acct_demo_eve"]
    operating.resume("acct_demo_ada")
    assert [one.platform_id for one in operating.stopped()] == ["acct_demo_eve"]


@pytest.mark.usefixtures("cast")
def test_whom_nobody_knows_is_not_found() -> None:
    with pytest.raises(NotFound):
        operating.disable("stranger@example.com")
    with pytest.raises(NotFound):
        operating.set_password("stranger@example.com", "another-password")
    with pytest.raises(NotFound):
        operating.stop("acct_nobody")
    assert _actions() == []
