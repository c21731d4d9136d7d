"""What is done to fans."""

from sqlalchemy import select, update

from app.clock import now
from app.db import insert_unless_there, transaction
from app.extensions import db
from app.fans.models import Fan


def ensure(account_id: int, platform_id: str) -> Fan:
    """The account's fan with this platform id; a new one when it is unknown. Safe when called twice at once."""
    query = select(Fan).where(Fan.account_id == account_id, Fan.platform_id == platform_id)
    with transaction():
        fan = db.session.scalar(query)
        if fan is None:
            insert_unless_there(Fan, [{"account_id": account_id, "platform_id": platform_id, "name": platform_id}])
            fan = db.session.scalars(query).one()
        return fan


def mark_unreachable(fan_ids: list[int]) -> None:
    """The platform said that these fans can't be written to."""
    with transaction():
        db.session.execute(update(Fan).where(Fan.id.in_(fan_ids)).values(unreachable_at=now()))
