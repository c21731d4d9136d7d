"""Which fans of an account a campaign goes to: wishes about them, and the reads that answer who and how many."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, and_, exists, func, select, true

from app.conversations.models import Conversation
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged
from app.messages.models import Message, Status

MOST = 10_000
LIVE = timedelta(minutes=60)
SUGGESTED = 200
TAGS_FROM = 2000
RECIPIENT = (Fan.id, Fan.platform_id, Fan.name, Fan.handle, Fan.tier, Fan.unreachable_at)
REACHABLE = (Fan.platform_id.is_not(None), Fan.unreachable_at.is_(None))
Recipient = Row[int, str | None, str, str | None, str | None, object]
NEVER_LEFT = (Status.FAILED, Status.CANCELED, Status.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Segment:
    """What is asked of a fan; an empty wish asks nothing. Money in cents.

    `seen` and `talked` (last message, whoever wrote it): days, within which it was, or negative: not any more since;
    `talked` 0: never. `quiet_minutes`: whoever was written to in these gets nothing now; `spare_live`: nor who wrote
    in the last hour.
    """

    tag: str = ""
    without_tag: str = ""
    tier: str = ""
    status: str = ""
    spent_from: int | None = None
    spent_to: int | None = None
    seen: int | None = None
    talked: int | None = None
    quiet_minutes: int = 0
    spare_live: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """From what `plain` gave."""
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class Audience:
    """How many fans a segment reaches, and some of them.

    `spared`: how many more it would if they weren't left in peace now; `unreachable`: if they could be written to.
    """

    reachable: int
    spared: int
    unreachable: int
    some: Sequence[Recipient]

    @property
    def too_many(self) -> bool:
        """Whether one campaign can't reach so many."""
        return self.reachable > MOST


def audience(account_id: int, segment: Segment, at: datetime, some: int) -> Audience:
    """Whom the segment reaches at this moment, and the first `some` of them, those who spent most in front."""
    wished = _wishes(account_id, segment, at)
    reachable, undisturbed = and_(*REACHABLE), and_(true(), *_undisturbed(segment, at))
    several = (reachable & undisturbed, reachable & ~undisturbed, ~reachable)
    counted = select(*(func.count().filter(one) for one in several)).select_from(Fan).where(*wished)
    row = db.session.execute(counted).one()
    first = select(*RECIPIENT).where(*wished, several[0]).order_by(Fan.value_cents.desc(), Fan.id).limit(some)
    return Audience(row[0], row[1], row[2], db.session.execute(first).all() if row[0] else [])


def following(account_id: int, segment: Segment, at: datetime, after: int, most: int) -> Sequence[Recipient]:
    """The next `most` fans of the segment by id, after the one with the id `after`."""
    query = select(*RECIPIENT).where(*_wishes(account_id, segment, at), *_undisturbed(segment, at), *REACHABLE)
    query = query.where(Fan.id > after)
    return db.session.execute(query.order_by(Fan.id).limit(most)).all()


def tiers(account_id: int) -> list[str]:
    """The tiers that the account's fans have, by name."""
    mine = (Fan.account_id == account_id, Fan.removed_at.is_(None))
    # From one tier to the next in an index: to tell those of all fans apart would take all of it.
    found = select(func.min(Fan.tier).label("tier")).where(*mine).cte(recursive=True)
    following = select(func.min(Fan.tier)).where(*mine, Fan.tier > found.c.tier).scalar_subquery()
    found = found.union_all(select(following).where(found.c.tier.is_not(None)))
    query = select(found.c.tier).where(found.c.tier.is_not(None)).limit(SUGGESTED)
    return [tier for tier in db.session.scalars(query) if tier]


def tags(account_id: int) -> list[str]:
    """Tags to suggest: those of the fans who were changed last, by name."""
    query = select(Fan.tags).where(Fan.account_id == account_id, Fan.tagged.is_not(None))
    query = query.order_by(Fan.updated_at.desc()).limit(TAGS_FROM)
    return sorted({tag for found in db.session.scalars(query) for tag in found}, key=str.casefold)[:SUGGESTED]


def _wishes(account_id: int, wanted: Segment, at: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Fan.account_id == account_id, Fan.removed_at.is_(None)]
    if wanted.tag:
        found.append(tagged(wanted.tag))
    if wanted.without_tag:
        found.append(~tagged(wanted.without_tag))
    if wanted.tier:
        found.append(Fan.tier == wanted.tier)
    if wanted.status:
        found.append(Fan.status == wanted.status)
    return [*found, *_spent(wanted), *_active(wanted, at)]


def _spent(wanted: Segment) -> list[ColumnElement[bool]]:
    found = []
    if wanted.spent_from is not None:
        found.append(Fan.value_cents >= wanted.spent_from)
    if wanted.spent_to is not None:
        found.append(Fan.value_cents <= wanted.spent_to)
    return found


def _active(wanted: Segment, at: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.seen is not None:
        since = Fan.last_seen_at >= at - timedelta(days=abs(wanted.seen))
        found.append(since if wanted.seen > 0 else Fan.last_seen_at.is_(None) | ~since)
    if wanted.talked is not None:
        days = timedelta(days=abs(wanted.talked))
        since = Conversation.last_message_at.is_not(None) if wanted.talked == 0 else _spoke_since(at - days)
        spoke = exists().where(Conversation.fan_id == Fan.id, since)
        found.append(spoke if wanted.talked > 0 else ~spoke)
    return found


def _spoke_since(moment: datetime) -> ColumnElement[bool]:
    return Conversation.last_message_at >= moment


def _undisturbed(wanted: Segment, at: datetime) -> list[ColumnElement[bool]]:
    found = []
    if wanted.quiet_minutes:
        left = Message.status.not_in(NEVER_LEFT)
        found.append(~_wrote("out", at - timedelta(minutes=wanted.quiet_minutes), left))
    if wanted.spare_live:
        # The conversation's own time first: most have been silent for longer, and needn't be looked into.
        found.append(~_wrote("in", at - LIVE, _spoke_since(at - LIVE)))
    return found


def _wrote(direction: str, since: datetime, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        Conversation.fan_id == Fan.id,
        Message.conversation_id == Conversation.id,
        Message.direction == direction,
        Message.created_at >= since,
        *more,
    )
