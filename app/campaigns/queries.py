"""Reads of campaigns for the creators whose they are; how far each is, is counted from its messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select

from app.accounts import queries as accounts
from app.accounts.models import Account, Role, User
from app.campaigns.models import Campaign
from app.campaigns.rules import Counts, stage
from app.errors import NotAllowed, NotFound
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status

FOLLOWED = (Status.FAILED, Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign, its account's owner, and how far it is."""

    campaign: Campaign
    owner_id: int
    counts: Counts

    @property
    def stage(self) -> str:
        """Where it stands: planning, scheduled, queued, sending, paused, late, canceled or completed."""
        return stage(self.campaign.status, self.campaign.planned_at is not None, self.counts)

    @property
    def unplanned(self) -> int:
        """About how many messages are still to be written."""
        return 0 if self.campaign.planned_at is not None else max(0, self.campaign.wanted - self.counts.total)

    @property
    def total(self) -> int:
        """How many fans get it."""
        return self.counts.total + self.unplanned


@dataclass(frozen=True, slots=True)
class Page:
    """Some of `total` campaigns, the newest first."""

    rows: list[Standing]
    total: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a campaign for one fan: their newest message of it."""

    message_id: int
    public_id: str
    conversation_id: int
    fan_id: int
    name: str
    handle: str | None
    status: str
    error: str | None
    sent_at: datetime | None


def page(viewer: User, account_id: int | None, limit: int, offset: int) -> Page:
    """One page in three queries; raises NotAllowed, or NotFound for an account that isn't the viewer's."""
    where = [_mine(viewer)]
    if account_id is not None:
        where.append(Campaign.account_id == account_id)
    total = db.session.execute(select(func.count()).select_from(Campaign).where(*where)).scalar_one()
    if total == 0 and account_id is not None:
        accounts.account(viewer, account_id)
    query = _owned().where(*where).order_by(Campaign.created_at.desc(), Campaign.id.desc()).limit(limit).offset(offset)
    rows = db.session.execute(query).all() if total > offset else []
    counted = _counts([row.Campaign.id for row in rows])
    return Page([Standing(row.Campaign, row.owner_id, counted[row.Campaign.id]) for row in rows], total)


def campaign(viewer: User, campaign_id: int) -> Campaign:
    """One campaign; raises NotAllowed, or NotFound when it isn't the viewer's."""
    found = db.session.scalar(select(Campaign).where(Campaign.id == campaign_id, _mine(viewer)))
    if found is None:
        raise NotFound("Campaign not found")
    return found


def standing(viewer: User, campaign_id: int) -> Standing:
    """How a campaign stands, in two queries; raises NotAllowed, or NotFound when it isn't the viewer's."""
    query = _owned().where(Campaign.id == campaign_id, _mine(viewer)).execution_options(populate_existing=True)
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound("Campaign not found")
    return Standing(row.Campaign, row.owner_id, _counts([campaign_id])[campaign_id])


def results(of: Campaign, status: str | None, limit: int, offset: int) -> list[Result]:
    """What became of a campaign that the viewer may see, fan by fan in the order of sending; `status`: only those."""
    query = (
        select(
            Message.id.label("message_id"),
            Message.public_id,
            Message.conversation_id,
            Message.fan_id,
            Fan.name,
            Fan.handle,
            Message.status,
            Message.error,
            Message.sent_at,
        )
        .join(Fan, Fan.id == Message.fan_id)
        .where(Message.campaign_id == of.id, last_word())
        .order_by(Message.id)
        .limit(limit)
        .offset(offset)
    )
    if status is not None:
        query = query.where(Message.status == status)
    return [Result(*row) for row in db.session.execute(query)]


def names(viewer: User, campaign_ids: Sequence[int]) -> dict[int, str]:
    """Campaign id → name, of those that the viewer may look at: managers none."""
    query = select(Campaign.id, Campaign.name).join(Account, Account.id == Campaign.account_id)
    query = query.where(Campaign.id.in_(campaign_ids), Account.owner_id == viewer.id)
    return {row.id: row.name for row in db.session.execute(query)} if campaign_ids else {}


def last_word() -> ColumnElement[bool]:
    """Whether a message wasn't sent again as a new one."""
    later = Message.__table__.alias("later")
    return Message.status.not_in(FOLLOWED) | ~select(later.c.id).where(later.c.retry_of_id == Message.id).exists()


def _counts(campaign_ids: Sequence[int]) -> dict[int, Counts]:
    found: dict[int, dict[str, int]] = {campaign_id: {} for campaign_id in campaign_ids}
    query = (
        select(Message.campaign_id, Message.status, func.count())
        .where(Message.campaign_id.in_(campaign_ids), last_word())
        .group_by(Message.campaign_id, Message.status)
    )
    for campaign_id, status, many in db.session.execute(query) if campaign_ids else ():
        found[campaign_id or 0][status] = many
    return {campaign_id: Counts.of(counts) for campaign_id, counts in found.items()}


def _mine(viewer: User) -> ColumnElement[bool]:
    if viewer.role != Role.CREATOR:
        raise NotAllowed("Campaigns are for creators")
    return Campaign.account_id.in_(accounts.visible_ids(viewer))


def _owned() -> Select[Campaign, int]:
    return select(Campaign, Account.owner_id).join(Account, Account.id == Campaign.account_id)
