"""What is done to fans."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from sqlalchemy import bindparam, or_, select, update

from app.accounts import queries as accounts
from app.accounts.models import User
from app.accounts.service import audit
from app.clock import now
from app.db import insert_unless_there, transaction
from app.errors import Conflict
from app.extensions import db
from app.fans import queries
from app.fans.models import Fan

AT_ONCE = 1000
MOST_TAGS = 50


class Details(TypedDict, total=False):
    """What people write about a fan, already checked: `handle` lower case without `@`, money in cents."""

    name: str
    handle: str | None
    platform_id: str | None
    email: str | None
    avatar: str | None
    tier: str | None
    status: str
    tags: list[str]
    notes: str
    value_cents: int
    last_seen_at: datetime | None


def create(viewer: User, account_id: int | None, details: Details) -> Fan:
    """A new fan of the account; raises NotFound, Invalid, or Conflict when platform id or handle are taken."""
    with transaction():
        account = accounts.account(viewer, account_id)
        _refuse_twins(account.id, None, details)
        fan = Fan(account_id=account.id, **details)
        db.session.add(fan)
        db.session.flush()
        audit("fan.created", user=viewer, account_id=account.id, fan_id=fan.id)
        return fan


def change(viewer: User, fan_id: int, details: Details) -> Fan:
    """Change what is given and leave the rest; raises NotFound, or Conflict when platform id or handle are taken."""
    with transaction():
        fan = queries.fan(viewer, fan_id).fan
        _refuse_twins(fan.account_id, fan.id, details)
        for name, value in details.items():
            setattr(fan, name, value)
        audit("fan.changed", user=viewer, account_id=fan.account_id, fan_id=fan.id)
        db.session.flush()
        return fan


def _refuse_twins(account_id: int, fan_id: int | None, details: Details) -> None:
    same = []
    if (handle := details.get("handle")) is not None:
        same.append(Fan.handle == handle)
    if (platform_id := details.get("platform_id")) is not None:
        same.append(Fan.platform_id == platform_id)
    if same:
        query = select(Fan.id).where(Fan.account_id == account_id, Fan.id != (fan_id or 0), or_(*same)).limit(1)
        if db.session.scalar(query) is not None:
            raise Conflict("The account has another fan with this handle or platform id")


def tag(viewer: User, account_id: int, fan_ids: Sequence[int], word: str, put_on: bool) -> int:
    """Put a tag on fans of the account, or take it off; how many of them that changed.

    Raises NotFound for an account that isn't the viewer's; fans of other accounts are passed over, like those who have
    as many tags as there may be.
    """
    with transaction():
        account = accounts.account(viewer, account_id)
        changed: list[dict[str, object]] = []
        for some in (fan_ids[start : start + AT_ONCE] for start in range(0, len(fan_ids), AT_ONCE)):
            mine = (Fan.account_id == account.id, Fan.removed_at.is_(None), Fan.id.in_(some))
            rows = db.session.execute(select(Fan.id, Fan.tags).where(*mine).order_by(Fan.id).with_for_update())
            for fan_id, tags in rows:
                after = [one for one in tags if one != word] + [word] * put_on
                if (word in tags) != put_on and len(after) <= MOST_TAGS:
                    changed.append({"fan_id": fan_id, "now": after})
        if changed:
            statement = update(Fan).where(Fan.id == bindparam("fan_id")).values(tags=bindparam("now"), updated_at=now())
            db.session.connection().execute(statement, changed)
        done = "fans.tagged" if put_on else "fans.untagged"
        audit(done, user=viewer, account_id=account.id, fans=len(changed))
        return len(changed)


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
