"""Invitations: a link that an account's owner hands over makes one person, once, a manager of the account."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select

from app.accounts.models import Account, Invitation, Membership, Role, User
from app.accounts.owning import own
from app.accounts.service import audit, create_user
from app.clock import now
from app.db import insert_unless_there, transaction
from app.errors import Conflict, NotAllowed, NotFound
from app.extensions import db

LIFE = timedelta(days=7)
MOST = 20
GONE = "This invitation was used already, was withdrawn, or is older than a week. Ask for another one."
FOR_MANAGERS = "Invitations are for managers: sign out, and open the link again to join as one."


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation is to: an account, and whose it is."""

    account: str
    owner: str


def invite(viewer: User, account_id: int) -> str:
    """The secret of a new invitation, told this once; raises NotFound, or Conflict when 20 are open."""
    token = secrets.token_urlsafe(32)
    with transaction():
        account = own(viewer, account_id)
        db.session.execute(delete(Invitation).where(Invitation.expires_at <= now()))
        query = select(func.count(Invitation.id)).where(Invitation.account_id == account.id)
        if (db.session.scalar(query) or 0) >= MOST:
            raise Conflict(f"{MOST} invitations are open already: withdraw one first")
        db.session.add(Invitation(account_id=account.id, token_hash=_hash(token), expires_at=now() + LIFE))
        audit("invitation.made", user=viewer, account_id=account.id)
    return token


def open_of(account_ids: Collection[int]) -> dict[int, list[Invitation]]:
    """Account id → its invitations that somebody may still accept, the newest first: 20 each at most."""
    query = select(Invitation).where(Invitation.account_id.in_(account_ids), Invitation.expires_at > now())
    found: dict[int, list[Invitation]] = {}
    for one in db.session.scalars(query.order_by(Invitation.id.desc())):
        found.setdefault(one.account_id, []).append(one)
    return found


def withdraw(viewer: User, account_id: int, invitation_id: int) -> None:
    """Nobody can accept it any more; raises NotFound."""
    with transaction():
        account = own(viewer, account_id)
        gone = delete(Invitation).where(Invitation.id == invitation_id, Invitation.account_id == account.id)
        if db.session.scalar(gone.returning(Invitation.id)) is None:
            raise NotFound("Invitation not found")
        audit("invitation.withdrawn", user=viewer, account_id=account.id)


def offer(token: str) -> Offer:
    """What the invitation is to; raises NotFound when nobody can accept it (any more)."""
    query = select(Account.display_name, User.name).join(User, User.id == Account.owner_id)
    query = query.join(Invitation, Invitation.account_id == Account.id)
    found = db.session.execute(
        query.where(Invitation.token_hash == _hash(token), Invitation.expires_at > now())
    ).first()
    if found is None:
        raise NotFound(GONE)
    return Offer(*found)


def accept(viewer: User, token: str) -> int:
    """The viewer works for the account from now on; its id. Raises NotFound, NotAllowed (not a manager)."""
    if viewer.role != Role.MANAGER:
        raise NotAllowed(FOR_MANAGERS)
    with transaction():
        # Whoever takes it out has it: of two at once, one.
        taken = delete(Invitation).where(Invitation.token_hash == _hash(token), Invitation.expires_at > now())
        account_id: int | None = db.session.scalar(taken.returning(Invitation.account_id))
        if account_id is None:
            raise NotFound(GONE)
        insert_unless_there(Membership, [{"account_id": account_id, "user_id": viewer.id}])
        audit("invitation.accepted", user=viewer, account_id=account_id)
        return account_id


def join(token: str, name: str, email: str, password: str) -> User:
    """A new manager who works for the account; raises NotFound, Invalid (password), Conflict (address taken)."""
    with transaction():
        offer(token)
        user = create_user(email, name, Role.MANAGER, password)
        accept(user, token)
        return user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
