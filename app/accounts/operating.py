"""What somebody at the command line does to users and accounts: no viewer, they run the deployment."""

from sqlalchemy import delete, select

from app.accounts import second_factor, service
from app.accounts.models import Account, Assignment, Role, User
from app.clock import now
from app.db import transaction
from app.errors import Conflict, NotFound
from app.extensions import db


def user(email: str) -> User:
    """The user with this address, also a disabled one; raises NotFound."""
    found = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if found is None:
        raise NotFound("Nobody has this e-mail address")
    return found


def create_user(email: str, name: str, role: Role, password: str) -> User:
    """A new user, written down in the audit log; raises Invalid or Conflict."""
    with transaction():
        created = service.create_user(email, name, role, password)
        service.audit("user.created", role=role.value, created_id=created.id)
        return created


def set_password(email: str, password: str) -> User:
    """Give the user a new password and end every session and token of theirs; raises NotFound or Invalid."""
    with transaction():
        found = user(email)
        service.change_password(found, password)
        return found


def reset_second_factor(email: str) -> User:
    """Ask this user for no code any more, and end every session and token of theirs; raises NotFound."""
    with transaction():
        found = user(email)
        second_factor.turn_off(found)
        service.end_everything(found)
        return found


def disable(email: str) -> User:
    """Let the user in no more, nowhere and at once; what is theirs stays. Raises NotFound."""
    with transaction():
        found = user(email)
        if found.disabled_at is None:
            found.disabled_at = now()
            service.audit("user.disabled", disabled_id=found.id)
        service.end_everything(found)
        return found


def stop(platform_id: str) -> Account:
    """Stop one account's sending, whoever owns it; raises NotFound."""
    with transaction():
        account = _account(platform_id)
        account.stopped_at = account.stopped_at or now()
        service.audit("account.stopped", account_id=account.id)
        return account


def resume(platform_id: str) -> Account:
    """Take back the stop of one account, whoever owns it; raises NotFound."""
    with transaction():
        account = _account(platform_id)
        account.stopped_at = None
        service.audit("account.resumed", account_id=account.id)
        return account


def assign(email: str, platform_id: str) -> User:
    """Let a creator connect this account on the deployment's key, and nobody else; raises NotFound or Conflict."""
    with transaction():
        found = user(email)
        if found.role != Role.CREATOR:
            raise Conflict("Only creators connect accounts")
        db.session.execute(delete(Assignment).where(Assignment.platform_id == platform_id))
        db.session.add(Assignment(platform_id=platform_id, user_id=found.id))
        service.audit("account.assigned", platform_id=platform_id, assigned_id=found.id)
        return found


def stopped() -> list[Account]:
    """The accounts whose sending was stopped, the longest stopped first."""
    return list(db.session.scalars(select(Account).where(Account.stopped_at.is_not(None)).order_by(Account.stopped_at)))


def _account(platform_id: str) -> Account:
    account = db.session.scalar(select(Account).where(Account.platform_id == platform_id))
    if account is None:
        raise NotFound(f"No account {platform_id} is connected")
    return account
