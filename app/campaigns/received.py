"""Which campaigns a fan was written to in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, select

from app.accounts import queries as accounts
from app.accounts.models import User
from app.campaigns.models import Campaign
from app.extensions import db
from app.messages.models import Message

Received = Row[int, str, str, datetime | None, datetime]


def received(viewer: User, fan_id: int, limit: int) -> Sequence[Received]:
    """The newest campaigns of a fan: id, name, the message's status, when it was sent, when it was written."""
    query = (
        select(Campaign.id, Campaign.name, Message.status, Message.sent_at, Message.created_at)
        .join(Campaign, Campaign.id == Message.campaign_id)
        .where(Message.fan_id == fan_id, Message.account_id.in_(accounts.visible_ids(viewer)))
        .where(Message.retry_of_id.is_(None))
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return db.session.execute(query).all()
