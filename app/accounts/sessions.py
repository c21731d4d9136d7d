"""Browsers that are signed in: a random token in the cookie, its hash in the database, two ways to expire."""

import hashlib
import secrets
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy import Select, bindparam, delete, or_, select, update

from app.accounts.models import LoginSession, Role, User
from app.accounts.service import audit
from app.clock import now
from app.db import transaction
from app.errors import NotFound
from app.extensions import db

IDLE = timedelta(hours=24)
ABSOLUTE = timedelta(days=14)
RENEWED_EVERY = timedelta(minutes=1)
USER_AGENT_LENGTH = 200
SHOWN = 50
# Asked by every request, so built once: SQLAlchemy takes longer to build it than SQLite to answer it.
LIVE = (
    LoginSession.token_hash == bindparam("token_hash"),
    User.disabled_at.is_(None),
    LoginSession.expires_at > bindparam("moment"),
    LoginSession.seen_at > bindparam("idle_since"),
)
LIVE_SESSION = (
    select(User, LoginSession.id, LoginSession.seen_at).join(LoginSession, LoginSession.user_id == User.id).where(*LIVE)
)


def start(user: User, user_agent: str = "") -> str:
    """Sign `user` in: the new session's token, to be kept by the browser alone. Expired sessions go."""
    token = secrets.token_urlsafe(32)
    moment = now()
    with transaction():
        db.session.execute(
            delete(LoginSession).where(or_(LoginSession.expires_at <= moment, LoginSession.seen_at <= moment - IDLE))
        )
        db.session.add(
            LoginSession(
                user_id=user.id,
                token_hash=_hash(token),
                user_agent=user_agent[:USER_AGENT_LENGTH],
                created_at=moment,
                seen_at=moment,
                expires_at=moment + ABSOLUTE,
            )
        )
    return token


def user_of(token: str, *, renew: bool = True) -> User | None:
    """The enabled user whose live session this is, or None; `renew` restarts its idle time, once a minute at most."""
    moment = now()
    found = db.session.execute(LIVE_SESSION, proof(token)).first()
    if found is None:
        return None
    user, session_id, seen_at = found
    if renew and seen_at <= moment - RENEWED_EVERY:
        with transaction():
            db.session.execute(update(LoginSession).where(LoginSession.id == session_id).values(seen_at=moment))
    return user


def live_user() -> Select[int]:
    """The id of the enabled user whose live session it is, no operator's: to be used inside others, with a proof."""
    joined = select(User.id).join(LoginSession, LoginSession.user_id == User.id)
    return joined.where(*LIVE, User.role != Role.OPERATOR)


def proof(token: str) -> dict[str, str | datetime]:
    """What the queries for a live session take."""
    moment = now()
    return {"token_hash": _hash(token), "moment": moment, "idle_since": moment - IDLE}


def of(user: User) -> list[LoginSession]:
    """The user's live sessions, the last seen first: 50 at most."""
    moment = now()
    live = (LoginSession.expires_at > moment, LoginSession.seen_at > moment - IDLE)
    query = select(LoginSession).where(LoginSession.user_id == user.id, *live)
    return list(db.session.scalars(query.order_by(LoginSession.seen_at.desc(), LoginSession.id.desc()).limit(SHOWN)))


def is_of(session: LoginSession, token: str) -> bool:
    """Whether it is this browser's."""
    return compare_digest(session.token_hash, _hash(token))


def end_one(user: User, session_id: int) -> None:
    """Sign one of the user's browsers out; raises NotFound for somebody else's."""
    with transaction():
        own = delete(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == user.id)
        if db.session.scalar(own.returning(LoginSession.id)) is None:
            raise NotFound("Session not found")
        audit("session.ended_elsewhere", user=user)


def end_others(user: User, token: str) -> None:
    """Sign the user out in every browser but the one with this token."""
    with transaction():
        others = (LoginSession.user_id == user.id, LoginSession.token_hash != _hash(token))
        db.session.execute(delete(LoginSession).where(*others))
        audit("session.others_ended", user=user)


def end(token: str) -> None:
    """Sign this browser out; a token that isn't known changes nothing."""
    with transaction():
        db.session.execute(delete(LoginSession).where(LoginSession.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
