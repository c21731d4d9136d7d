"""Who sees what: the one place where the scope of a viewer is written."""

from sqlalchemy import Select, or_, select

from app.accounts.models import Account, Membership, Role, User
from app.errors import Invalid, NotFound, Problem
from app.extensions import db


def visible_ids(viewer: User) -> Select[int]:
    """Ids of the accounts that `viewer` is a member of, as a query to be used inside others."""
    if viewer.role == Role.OPERATOR:
        return select(Account.id).where(Account.id.is_(None))
    managed = select(Membership.account_id).where(Membership.user_id == viewer.id)
    return select(Account.id).where(or_(Account.owner_id == viewer.id, Account.id.in_(managed)))


def visible(viewer: User) -> list[Account]:
    """The accounts of `viewer`, oldest first."""
    query = select(Account).where(Account.id.in_(visible_ids(viewer))).order_by(Account.id)
    return list(db.session.scalars(query))


def account(viewer: User, account_id: int | None) -> Account:
    """The account that `viewer` acts for: the named one, or their only one.

    Raises NotFound for one that isn't theirs, Invalid when they have several and named none.
    """
    query = select(Account).where(Account.id.in_(visible_ids(viewer)))
    if account_id is not None:
        query = query.where(Account.id == account_id)
    found = list(db.session.scalars(query.order_by(Account.id).limit(2)))
    if len(found) > 1:
        raise Invalid([Problem("accountId", "You have several accounts: name the one to act for")])
    if not found:
        raise NotFound("Account not found")
    return found[0]


def user(user_id: int) -> User | None:
    """The enabled user with this id, or None."""
    return db.session.scalar(select(User).where(User.id == user_id, User.disabled_at.is_(None)))
