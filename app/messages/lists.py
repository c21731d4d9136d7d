"""Lists and counts of messages for the JSON door."""

from sqlalchemy import func, select

from app.accounts import queries as accounts
from app.accounts.models import User
from app.extensions import db
from app.messages.models import Message, Status


def failed_ever(viewer: User) -> int:
    """How many of the viewer's messages failed, those that were retried included."""
    mine = Message.account_id.in_(accounts.visible_ids(viewer))
    query = select(func.count()).select_from(Message).where(mine, Message.status == Status.FAILED)
    return db.session.execute(query).scalar_one()
