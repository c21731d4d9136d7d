"""Who sees what: the one place where the scope of a viewer is written."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import TypeVar

from sqlalchemy import BindParameter, CompoundSelect, Select, bindparam, select

from app.accounts.models import Account, Membership, Role, User
from app.db import BigId
from app.errors import Invalid, NotFound, Problem
from app.extensions import db
from app.reads import read

Found = TypeVar("Found")
NOBODY = 0
SEVERAL = "You have several accounts: name the one to act for"
NOT_FOUND = "Account not found"


def visible_ids(viewer: User) -> CompoundSelect[int]:
    """Ids of the accounts that `viewer` is a member of, as a query to be used inside others."""
    return _ids_of(scope_of(viewer))


def scope() -> CompoundSelect[int]:
    """The same for statements that are built once: `viewer` is bound to what `scope_of` says."""
    return _ids_of(bindparam("viewer", type_=BigId))


def scope_of(viewer: User) -> int:
    """Whose accounts the viewer sees: their own id, or nobody's."""
    return NOBODY if viewer.role == Role.OPERATOR else viewer.id


def _ids_of(user: int | BindParameter[int]) -> CompoundSelect[int]:
    # Two looks into indexes; with OR, the whole table would be read.
    owned = select(Account.id).where(Account.owner_id == user)
    managed = select(Membership.account_id).where(Membership.user_id == user)
    return owned.union_all(managed)


def owners(viewer: int, account_id: int | None = None) -> dict[int, int]:
    """Account id → owner's id, of all accounts of `scope_of` a viewer, or the named one.

    Raises NotFound when that isn't theirs.
    """
    values = {"viewer": viewer, "account": account_id}
    found = {row[0]: row[1] for row in read(_owners(account_id is not None), values)}
    if account_id is not None and not found:
        raise NotFound(NOT_FOUND)
    return found


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _owners(named: bool) -> Select[int, int]:
    query = select(Account.id, Account.owner_id).where(Account.id.in_(scope()))
    return query.where(Account.id == bindparam("account", type_=BigId)) if named else query


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
    return only(list(db.session.scalars(query.order_by(Account.id).limit(2))))


def only(found: Sequence[Found]) -> Found:
    """The one account of those that somebody may have meant; raises as `account` does."""
    if len(found) > 1:
        raise Invalid([Problem("accountId", SEVERAL)])
    if not found:
        raise NotFound(NOT_FOUND)
    return found[0]


def user(user_id: int) -> User | None:
    """The enabled user with this id, or None."""
    return db.session.scalar(select(User).where(User.id == user_id, User.disabled_at.is_(None)))


def names(user_ids: Collection[int]) -> dict[int, str]:
    """User id → name, for those who worked on something that the asker sees."""
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(user_ids))) if user_ids else ()
    return {row.id: row.name for row in rows}
