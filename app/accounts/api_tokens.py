"""Personal tokens for programs: shown once, kept as hashes, good until they are revoked."""

import hashlib
import secrets
from datetime import timedelta
from functools import cache

from sqlalchemy import Select, bindparam, delete, func, or_, select, update

from app.accounts.models import ApiToken, User
from app.accounts.service import audit
from app.clock import now
from app.db import transaction
from app.errors import Conflict, NotFound, NotSignedIn
from app.extensions import db

PREFIX = "hz_"
MOST = 20
NOTED_EVERY = timedelta(minutes=1)
UNKNOWN = "The access token is not valid"


def create(user: User, name: str) -> str:
    """A new token called `name`, told this once; raises Conflict when the user has 20 already."""
    token = f"{PREFIX}{secrets.token_urlsafe(32)}"
    with transaction():
        many = db.session.scalar(select(func.count(ApiToken.id)).where(ApiToken.user_id == user.id)) or 0
        if many >= MOST:
            raise Conflict(f"You have {MOST} tokens: revoke one first")
        row = ApiToken(user_id=user.id, name=name, token_hash=_hash(token), last4=token[-4:])
        db.session.add(row)
        db.session.flush()
        audit("token.created", user=user, name=name)
    return token


def of(user: User) -> list[ApiToken]:
    """The user's tokens, the newest first: 20 at most."""
    query = select(ApiToken).where(ApiToken.user_id == user.id).order_by(ApiToken.id.desc())
    return list(db.session.scalars(query.limit(MOST)))


def revoke(user: User, token_id: int) -> str:
    """End a token at once; its name. Raises NotFound for somebody else's."""
    with transaction():
        gone = delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id).returning(ApiToken.name)
        name = db.session.scalar(gone)
        if name is None:
            raise NotFound("Token not found")
        audit("token.revoked", user=user, name=name)
        return name


def holder(token: str) -> User:
    """Whose token this is, while they are enabled; a copy that no session knows. Raises NotSignedIn.

    Its last use is noted once a minute at most.
    """
    moment = now()
    row = db.session.execute(_holder_of(), {"digest": _hash(token)}).one_or_none()
    if row is None:
        raise NotSignedIn(UNKNOWN)
    if row.used_at is None or row.used_at <= moment - NOTED_EVERY:
        seldom = or_(ApiToken.used_at.is_(None), ApiToken.used_at <= moment - NOTED_EVERY)
        with transaction():
            db.session.execute(update(ApiToken).where(ApiToken.id == row.token_id, seldom).values(used_at=moment))
    return User(id=row.id, email=row.email, name=row.name, role=row.role)


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _holder_of() -> Select[int, str, str, str, int, object]:
    return (
        select(User.id, User.email, User.name, User.role, ApiToken.id.label("token_id"), ApiToken.used_at)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == bindparam("digest"), User.disabled_at.is_(None))
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
