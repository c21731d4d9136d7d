"""Fans as the platform tells of them: found by its id, else by their handle, else new."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select, update

from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import insert_unless_there, transaction
from app.extensions import db
from app.fans import service as fans
from app.fans.models import Fan
from app.inbound.adapter import Person
from app.inbound.models import SubscriptionMark
from app.messages.models import Message

ACTIVE, EXPIRED = "active", "expired"
_fans = cast(Table, Fan.__table__)
_earlier = (_fans.c.last_seen_at.is_(None)) | (_fans.c.last_seen_at < bindparam("at"))
SEEN = _fans.update().where(_fans.c.id == bindparam("fan"), _earlier).values(last_seen_at=bindparam("at"))


def known_all(account_id: int, persons: Collection[Person]) -> dict[str, int]:
    """Platform id → id of the account's fan who this is, made or completed if need be. In the caller's transaction."""
    wanted = dict.fromkeys(persons)
    query = select(Fan.id, Fan.platform_id, Fan.name, Fan.handle)
    query = query.where(Fan.account_id == account_id, Fan.platform_id.in_({one.platform_id for one in wanted}))
    rows = {row.platform_id: row for row in db.session.execute(query)} if wanted else {}
    found: dict[str, int] = {}
    for person in wanted:
        row = rows.get(person.platform_id)
        news = row is None or (person.name and row.name == row.platform_id) or (person.handle and row.handle is None)
        found[person.platform_id] = known(account_id, person).id if row is None or news else row.id
    return found


def known(account_id: int, person: Person) -> Fan:
    """The account's fan who this is; whoever learns an id for a handle links them. In the caller's transaction."""
    with transaction():
        fan = db.session.scalar(
            select(Fan).where(Fan.account_id == account_id, Fan.platform_id == person.platform_id)
        ) or _link(account_id, person)
        if fan is None:
            fan = fans.ensure(account_id, person.platform_id)
        before = fan.name, fan.handle
        _complete(fan, person)
        if (fan.name, fan.handle) != before:
            conversations.fans_changed([fan.id])
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
        seen_all({fan.id: last_seen_at})


def met(account_id: int, visits: Collection[tuple[Person, datetime]]) -> None:
    """Fans were there at those times."""
    fans = known_all(account_id, [person for person, _ in visits])
    newest: dict[int, datetime] = {}
    for person, at in visits:
        fan_id = fans[person.platform_id]
        newest[fan_id] = max(at, newest.get(fan_id, at))
    seen_all(newest)


def seen_all(seen: Mapping[int, datetime]) -> None:
    """Fan id → when that fan was there."""
    if seen:
        # In one order: two who write the same fans down wait for each other instead of holding each other up.
        db.session.connection().execute(SEEN, [{"fan": fan_id, "at": at} for fan_id, at in sorted(seen.items())])


def subscribed(fan_id: int, status: str, at: datetime) -> None:
    """News of the fan's subscription, as of that time; of two of the same time, `active` counts."""
    with transaction():
        insert_unless_there(SubscriptionMark, [{"fan_id": fan_id, "at": datetime.fromtimestamp(0, at.tzinfo)}])
        newer = SubscriptionMark.at < at if status == EXPIRED else SubscriptionMark.at <= at
        moved = update(SubscriptionMark).where(SubscriptionMark.fan_id == fan_id, newer).values(at=at)
        if db.session.execute(moved.returning(SubscriptionMark.fan_id)).first() is not None:
            db.session.execute(update(Fan).where(Fan.id == fan_id).values(status=status))
