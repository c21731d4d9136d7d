"""The emergency stop for everybody: kept in the database, read wherever a message is claimed."""

from datetime import datetime

from sqlalchemy import delete, select

from app.accounts import service as accounts
from app.accounts.models import User
from app.clock import now
from app.db import insert_unless_there, transaction
from app.delivery.models import Stop
from app.extensions import db


def set_stop(user_id: int | None) -> None:
    """From now on nothing is sent; messages are accepted and kept. `user_id` None: the command line."""
    with transaction():
        insert_unless_there(Stop, [{"id": 1, "set_at": now(), "set_by_id": user_id}])
        accounts.audit("sending.stopped", user=_user(user_id))


def clear_stop(user_id: int | None) -> None:
    """Sending goes on."""
    with transaction():
        db.session.execute(delete(Stop))
        accounts.audit("sending.resumed", user=_user(user_id))


def is_stopped() -> bool:
    """Whether the stop is set."""
    return db.session.scalar(select(Stop.id).limit(1)) is not None


def since() -> tuple[datetime, str | None] | None:
    """When the stop was set and by whom (None: at the command line); None while it isn't set."""
    query = select(Stop.set_at, User.name).outerjoin(User, User.id == Stop.set_by_id)
    row = db.session.execute(query).first()
    return (row.set_at, row.name) if row else None


def _user(user_id: int | None) -> User | None:
    return None if user_id is None else db.session.get(User, user_id)
