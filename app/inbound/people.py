"""Fans as the platform tells of them: found by its id, else by their handle, else new."""

from datetime import datetime

from sqlalchemy import or_, select, update

from app.conversations.models import Conversation
from app.db import insert_unless_there, transaction
from app.extensions import db
from app.fans import service as fans
from app.fans.models import Fan
from app.inbound.adapter import Person
from app.inbound.models import SubscriptionMark
from app.messages.models import Message

ACTIVE, EXPIRED = "active", "expired"


def known(account_id: int, person: Person) -> Fan:
    """The account's fan who this is; whoever learns an id for a handle links them. In the caller's transaction."""
    with transaction():
        fan = db.session.scalar(
            select(Fan).where(Fan.account_id == account_id, Fan.platform_id == person.platform_id)
        ) or _link(account_id, person)
        if fan is None:
            fan = fans.ensure(account_id, person.platform_id)
        _complete(fan, person)
        return fan


def _link(account_id: int, person: Person) -> Fan | None:
    """The fan of this handle whose id nobody knew."""
    if person.handle is None:
        return None
    found = db.session.scalar(
        update(Fan)
        .where(Fan.account_id == account_id, Fan.handle == person.handle, Fan.platform_id.is_(None))
        .values(platform_id=person.platform_id)
        .returning(Fan.id)
    )
    return db.session.get_one(Fan, found, populate_existing=True) if found else None


def _complete(fan: Fan, person: Person) -> None:
    """What is missing of the fan; what people wrote stays."""
    if person.name and fan.name == fan.platform_id:
        fan.name = person.name
    if person.handle and fan.handle is None:
        twin = db.session.scalar(select(Fan).where(Fan.account_id == fan.account_id, Fan.handle == person.handle))
        if twin is None:
            fan.handle = person.handle
        elif twin.platform_id is None and not _wrote(twin):
            _absorb(fan, twin)
    db.session.flush()


def _wrote(fan: Fan) -> bool:
    return db.session.scalar(select(Message.id).where(Message.fan_id == fan.id).limit(1)) is not None


def _absorb(fan: Fan, twin: Fan) -> None:
    """Somebody imported this fan by handle before the platform's id came alone: both rows are one person."""
    handle, details = twin.handle, (twin.email, twin.tier, twin.notes, twin.tags, twin.last_seen_at)
    name, value = twin.name, twin.value_cents
    for conversation in db.session.scalars(select(Conversation).where(Conversation.fan_id == twin.id)):
        db.session.delete(conversation)
    db.session.flush()
    db.session.delete(twin)
    db.session.flush()
    fan.handle, fan.name = handle, name
    email, tier, notes, tags, last_seen_at = details
    fan.email, fan.tier = fan.email or email, fan.tier or tier
    fan.notes, fan.tags = fan.notes or notes, sorted({*fan.tags, *tags})
    fan.value_cents = max(fan.value_cents, value)
    if last_seen_at is not None:
        seen(fan, last_seen_at)


def seen(fan: Fan, at: datetime) -> None:
    """The fan was there at that time."""
    later = or_(Fan.last_seen_at.is_(None), Fan.last_seen_at < at)
    db.session.execute(update(Fan).where(Fan.id == fan.id, later).values(last_seen_at=at))


def subscribed(fan: Fan, status: str, at: datetime) -> None:
    """News of the fan's subscription, as of that time; of two of the same time, `active` counts."""
    with transaction():
        insert_unless_there(SubscriptionMark, [{"fan_id": fan.id, "at": datetime.fromtimestamp(0, at.tzinfo)}])
        newer = SubscriptionMark.at < at if status == EXPIRED else SubscriptionMark.at <= at
        moved = update(SubscriptionMark).where(SubscriptionMark.fan_id == fan.id, newer).values(at=at)
        if db.session.execute(moved.returning(SubscriptionMark.fan_id)).first() is not None:
            db.session.execute(update(Fan).where(Fan.id == fan.id).values(status=status))
