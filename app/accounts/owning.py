"""What the owner of an account does to it: its name and zone, its key, its login, and the managers who work for it."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from app.accounts import connection
from app.accounts.connecting import Connector
from app.accounts.models import Account, Membership, Role, User
from app.accounts.service import audit
from app.db import insert_unless_there, transaction
from app.errors import Conflict, Invalid, NotFound, Problem, Unavailable
from app.extensions import db
from app.gateways.answers import CallFailed

NOT_LISTED = "This key doesn't list the account"
NOT_SIGNED_IN = "The platform still says that the account must be authenticated again"
NOT_NOW = "The platform can't be asked just now: try again in a moment"
NOBODY = "No manager has this e-mail address"


@dataclass(frozen=True, slots=True)
class Owned:
    """An account of the viewer's, and who works for it."""

    account: Account
    managers: list[User]


def owned(viewer: User) -> list[Owned]:
    """The accounts that the viewer owns, the oldest first."""
    found = list(db.session.scalars(select(Account).where(Account.owner_id == viewer.id).order_by(Account.id)))
    working = select(Membership.account_id, User).join(User, User.id == Membership.user_id)
    working = working.where(Membership.account_id.in_([one.id for one in found])).order_by(User.name, User.id)
    managers: dict[int, list[User]] = {}
    for account_id, user in db.session.execute(working):
        managers.setdefault(account_id, []).append(user)
    return [Owned(account, managers.get(account.id, [])) for account in found]


def change(viewer: User, account_id: int, display_name: str, time_zone: str) -> Account:
    """Name the account, and say where its days begin; raises NotFound unless the viewer owns it."""
    with transaction():
        account = own(viewer, account_id)
        account.display_name, account.time_zone = display_name, time_zone
        audit("account.changed", user=viewer, account_id=account.id)
        return account


def give_key(viewer: User, account_id: int, api_key: str, connector: Connector) -> Account:
    """Use this key from now on; it must list the account. Raises NotFound, Invalid, Unavailable."""
    with transaction():
        account = own(viewer, account_id)
    listed = {one.platform_id: one for one in connector.available(api_key)}
    if account.platform_id not in listed:
        raise Invalid([Problem("apiKey", NOT_LISTED)], NOT_LISTED)
    with transaction():
        account = own(viewer, account_id)
        account.api_key_encrypted, account.api_key_last4 = connector.keys.encrypt(api_key), api_key[-4:]
        audit("account.key_changed", user=viewer, account_id=account.id)
        if listed[account.platform_id].signed_in:
            connection.reconnected([account.id])
        return account


def remove_key(viewer: User, account_id: int, connector: Connector) -> Account:
    """Forget the account's own key; the deployment's must list it. Raises NotFound, Conflict, Unavailable."""
    with transaction():
        account = own(viewer, account_id)
        may = connector.may_use_deployment_key(viewer, account.platform_id)
    if not may or account.platform_id not in {one.platform_id for one in connector.available(None)}:
        raise Conflict("The deployment's key doesn't list this account: enter another key instead")
    with transaction():
        account = own(viewer, account_id)
        account.api_key_encrypted = account.api_key_last4 = None
        audit("account.key_removed", user=viewer, account_id=account.id)
        return account


def reconnect(viewer: User, account_id: int, connector: Connector) -> Account:
    """Go on after the account was authenticated again there; raises NotFound, Conflict, Unavailable."""
    with transaction():
        account = own(viewer, account_id)
        stored = account.api_key_encrypted
    try:
        connected = connector.platform.connected_accounts(connector.keys.decrypt(stored))
    except connection.KeyUnreadable as error:
        raise Conflict(str(error)) from None
    except CallFailed:
        raise Unavailable(NOT_NOW) from None
    if account.platform_id not in connected:
        raise Conflict(NOT_SIGNED_IN)
    with transaction():
        connection.reconnected([account_id])
        audit("account.reconnected", user=viewer, account_id=account_id)
        return account


def invite(viewer: User, account_id: int, email: str) -> User:
    """Let a manager work for the account; raises NotFound when it isn't the viewer's, Conflict when nobody is it."""
    with transaction():
        account = own(viewer, account_id)
        same = (User.email == email.strip().lower(), User.role == Role.MANAGER, User.disabled_at.is_(None))
        manager = db.session.scalar(select(User).where(*same))
        if manager is None:
            raise Conflict(NOBODY)
        insert_unless_there(Membership, [{"account_id": account.id, "user_id": manager.id}])
        audit("manager.invited", user=viewer, account_id=account.id, manager_id=manager.id)
        return manager


def dismiss(viewer: User, account_id: int, manager_id: int) -> None:
    """Let a manager work for the account no more, at once; raises NotFound."""
    with transaction():
        account = own(viewer, account_id)
        gone = delete(Membership).where(Membership.account_id == account.id, Membership.user_id == manager_id)
        if db.session.scalar(gone.returning(Membership.id)) is None:
            raise NotFound("Manager not found")
        audit("manager.removed", user=viewer, account_id=account.id, manager_id=manager_id)


def own(viewer: User, account_id: int) -> Account:
    """An account that the viewer owns; raises NotFound for all others."""
    account = db.session.scalar(select(Account).where(Account.id == account_id, Account.owner_id == viewer.id))
    if account is None:
        raise NotFound("Account not found")
    return account
