"""What people and the platform do to users and accounts: sign in, change a password, stop and resume an account."""

import re
from collections.abc import Iterable
from functools import cache
from typing import cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Table, delete, select, update

from app.accounts import queries
from app.accounts.models import ApiToken, AuditEvent, LoginSession, Role, TokenFamily, User
from app.clock import now
from app.db import transaction
from app.errors import Conflict, Invalid, NotAllowed, NotSignedIn, Problem
from app.extensions import db

BAD_CREDENTIALS = "E-mail address or password is wrong"
BAD_PASSWORD = "Your password is wrong"
PASSWORD_LENGTH = (10, 200)
SURROGATE = re.compile("[\ud800-\udfff]")
WRITE_DOWN = cast(Table, AuditEvent.__table__).insert()


@cache
def hasher() -> PasswordHasher:
    """Argon2id with the library's recommended cost."""
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return hasher().hash("nobody has this password")


def authenticate(email: str, password: str) -> User:
    """The user with these credentials; raises NotSignedIn, in the same time whoever they are."""
    with transaction():
        email = email.strip().lower()
        user = db.session.scalar(select(User).where(User.email == email)) if email.isprintable() else None
        stored = user.password_hash if user else _nobodys_hash()
        if not _matches(stored, password) or user is None or user.disabled_at is not None:
            raise NotSignedIn(BAD_CREDENTIALS)
        if hasher().check_needs_rehash(user.password_hash):
            user.password_hash = hasher().hash(password)
        return user


def _matches(stored: str, password: str) -> bool:
    try:
        return hasher().verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def confirm_password(user: User, password: str) -> None:
    """The signed-in user's own password, asked for again; raises NotAllowed when it isn't that."""
    with transaction():
        stored = db.session.scalar(select(User.password_hash).where(User.id == user.id))
        if not _matches(stored or _nobodys_hash(), password):
            raise NotAllowed(BAD_PASSWORD)


def create_user(email: str, name: str, role: Role, password: str) -> User:
    """A new user; raises Invalid for a bad password, Conflict when the address is taken."""
    check_password(password)
    with transaction():
        email = email.strip().lower()
        if db.session.scalar(select(User.id).where(User.email == email)):
            raise Conflict("Somebody with this e-mail address exists already")
        user = User(email=email, name=name, role=role, password_hash=hasher().hash(password))
        db.session.add(user)
        db.session.flush()
        return user


def check_password(password: str) -> None:
    """Raises Invalid unless the password is 10 to 200 characters long."""
    low, high = PASSWORD_LENGTH
    if not low <= len(password) <= high or SURROGATE.search(password):
        raise Invalid([Problem("password", f"Use {low} to {high} characters")])


def change_password(user: User, password: str) -> None:
    """Set the password and end every session and token of the user."""
    check_password(password)
    with transaction():
        user.password_hash = hasher().hash(password)
        db.session.add(user)
        end_everything(user)
        audit("password.changed", user=user)


def end_everything(user: User) -> None:
    """Sign the user out everywhere: pages and API."""
    with transaction():
        for given in (LoginSession, ApiToken):
            db.session.execute(delete(given).where(given.user_id == user.id))
        db.session.execute(
            update(TokenFamily)
            .where(TokenFamily.user_id == user.id, TokenFamily.ended_at.is_(None))
            .values(ended_at=now())
        )


def stop_account(viewer: User, account_id: int) -> None:
    """The emergency stop of one account, by one of its people: messages are kept, none is sent."""
    with transaction():
        account = queries.account(viewer, account_id)
        account.stopped_at = account.stopped_at or now()
        audit("account.stopped", user=viewer, account_id=account.id)


def resume_account(viewer: User, account_id: int) -> None:
    """Take back the stop of one account."""
    with transaction():
        account = queries.account(viewer, account_id)
        account.stopped_at = None
        audit("account.resumed", user=viewer, account_id=account.id)


def audit(action: str, user: User | None = None, account_id: int | None = None, **details: str | int) -> None:
    """Write down who did what, in the caller's transaction."""
    with transaction():
        db.session.connection().execute(
            WRITE_DOWN,
            {"action": action, "user_id": user.id if user else None, "account_id": account_id, "details": details},
        )


def exported(viewer: User, account_ids: Iterable[int], what: str) -> None:
    """Write down that the viewer took data of these accounts out as a file."""
    with transaction():
        for account_id in account_ids:
            audit("data.exported", user=viewer, account_id=account_id, what=what)
