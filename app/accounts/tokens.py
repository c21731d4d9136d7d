"""API sign-ins: access tokens (JWT) that live for minutes, refresh tokens that are rotated and stored as hashes."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any

import jwt
from sqlalchemy import ColumnElement, Select, bindparam, delete, or_, select, update

from app.accounts import queries
from app.accounts.models import RefreshToken, Role, TokenFamily, User
from app.accounts.service import audit
from app.clock import now
from app.db import BigId, transaction
from app.errors import NotSignedIn
from app.extensions import db
from app.reads import glance

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=30)
AUDIENCE = "huntaze-api"
ALGORITHM = "HS256"
CLAIMS = ["exp", "iat", "aud", "jti", "sub", "fam"]
BAD_ACCESS = "The access token is not valid"
BAD_REFRESH = "The refresh token is not valid"


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs access tokens; `previous` is still accepted while keys are being changed."""

    current: str
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """What a client holds; the refresh token can be used once."""

    access_token: str
    refresh_token: str


def issue(user: User, keys: Keys) -> Pair:
    """A new sign-in of `user`; their sign-ins that nobody can refresh any more are forgotten."""
    usable = select(RefreshToken.id).where(RefreshToken.family_id == TokenFamily.id, RefreshToken.expires_at > now())
    with transaction():
        db.session.execute(delete(TokenFamily).where(TokenFamily.user_id == user.id, ~usable.exists()))
        family = TokenFamily(user_id=user.id)
        db.session.add(family)
        db.session.flush()
        audit("api.signed_in", user=user)
        return _pair(user, family.id, keys)


def rotate(refresh_token: str, keys: Keys) -> Pair:
    """A new pair for a refresh token that was never used; a second use ends its family. Raises NotSignedIn."""
    digest = _digest(refresh_token)
    with transaction():
        family_id = db.session.scalar(
            update(RefreshToken)
            .where(RefreshToken.token_hash == digest, RefreshToken.used_at.is_(None), RefreshToken.expires_at > now())
            .values(used_at=now())
            .returning(RefreshToken.family_id)
        )
        user = _owner(family_id) if family_id is not None else None
        if family_id is not None and user is not None:
            _forget_expired(family_id)
            return _pair(user, family_id, keys)
        _end_family(digest)
    raise NotSignedIn(BAD_REFRESH)


def revoke(refresh_token: str) -> None:
    """End the family of a refresh token, used or not; one that nobody knows changes nothing."""
    with transaction():
        _end_family(_digest(refresh_token))


def holder(access_token: str, keys: Keys) -> User:
    """Whose access token this is, while their sign-in lasts and they are enabled (one query); raises NotSignedIn."""
    claims = _claims(access_token, keys)
    user = _owner(claims["fam"])
    if user is None or str(user.id) != claims["sub"]:
        raise NotSignedIn(BAD_ACCESS)
    return user


@dataclass(frozen=True, slots=True)
class Proof:
    """Who asks, for queries that find out by themselves whether they may: values of `lasts` and `queries.scope`.

    `family` is None for somebody who was looked up before.
    """

    viewer: int
    family: int | None = None

    @classmethod
    def of(cls, viewer: User) -> "Proof":
        """The proof of somebody who was looked up."""
        return cls(queries.scope_of(viewer))

    def values(self) -> dict[str, int | None]:
        """What is bound to the query."""
        return {"viewer": self.viewer, "family": self.family}


def proof(access_token: str, keys: Keys) -> Proof:
    """What a token proves whose signature is ours and which hasn't expired; raises NotSignedIn. Asks no database."""
    claims = _claims(access_token, keys)
    return Proof(int(claims["sub"]), claims["fam"])


def lasts() -> ColumnElement[bool]:
    """Whether a proof's sign-in lasts and is an enabled person's who sees accounts; true of who was looked up."""
    family = bindparam("family", type_=BigId)
    live = (
        select(TokenFamily.id)
        .join(User, User.id == TokenFamily.user_id)
        .where(TokenFamily.id == family, TokenFamily.ended_at.is_(None))
        .where(User.id == bindparam("viewer", type_=BigId), User.disabled_at.is_(None), User.role != Role.OPERATOR)
    )
    return or_(family.is_(None), live.exists())


def _pair(user: User, family_id: int, keys: Keys) -> Pair:
    moment = now()
    refresh_token = secrets.token_urlsafe(32)
    expires_at = moment + REFRESH_LIFE
    db.session.add(RefreshToken(family_id=family_id, token_hash=_digest(refresh_token), expires_at=expires_at))
    claims = {
        "sub": str(user.id),
        "fam": family_id,
        "aud": AUDIENCE,
        "jti": secrets.token_hex(16),
        "iat": moment,
        "exp": moment + ACCESS_LIFE,
    }
    return Pair(jwt.encode(claims, keys.current, algorithm=ALGORITHM), refresh_token)


def _claims(token: str, keys: Keys) -> dict[str, Any]:
    """What a token says that we signed and that hasn't expired."""
    try:
        try:
            claims = _decode(token, keys.current)
        except jwt.InvalidSignatureError:
            claims = _decode(token, keys.previous or keys.current)
    # A header nested thousands deep is no DecodeError, but the recursion limit of the JSON parser.
    except (jwt.InvalidTokenError, RecursionError):
        raise NotSignedIn(BAD_ACCESS) from None
    if claims["exp"] <= now().timestamp() or not isinstance(claims["fam"], int) or not claims["sub"].isdecimal():
        raise NotSignedIn(BAD_ACCESS)
    return claims


# A signature stays as good as it was; whether the token has expired is asked each time.
@lru_cache(maxsize=1024)
def _decode(token: str, key: str) -> dict[str, Any]:
    # A server whose clock is a second ahead may have issued it: `iat` must be there, `exp` alone decides.
    options: jwt.types.Options = {"require": CLAIMS, "verify_iat": False}
    return jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, options=options)


def _owner(family_id: int) -> User | None:
    """The user of a sign-in that lasts: a copy that no session knows, because every request asks for it."""
    rows = glance(_owner_of(), {"family": family_id})
    if not rows:
        return None
    user_id, email, name, role = rows[0]
    return User(id=user_id, email=email, name=name, role=role)


@cache
def _owner_of() -> Select[int, str, str, str]:
    return (
        select(User.id, User.email, User.name, User.role)
        .join(TokenFamily, TokenFamily.user_id == User.id)
        .where(TokenFamily.id == bindparam("family", type_=BigId))
        .where(TokenFamily.ended_at.is_(None), User.disabled_at.is_(None))
    )


def _forget_expired(family_id: int) -> None:
    db.session.execute(
        delete(RefreshToken).where(RefreshToken.family_id == family_id, RefreshToken.expires_at <= now())
    )


def _end_family(digest: str) -> None:
    family = select(RefreshToken.family_id).where(RefreshToken.token_hash == digest).scalar_subquery()
    db.session.execute(
        update(TokenFamily).where(TokenFamily.id == family, TokenFamily.ended_at.is_(None)).values(ended_at=now())
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
