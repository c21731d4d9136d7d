"""What creators do to campaigns: launch one, pause it, let it go on, cancel it, send the failed ones again."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update

from app.accounts import queries as accounts
from app.accounts import service as audit_log
from app.accounts.models import Role, User
from app.campaigns import planning, queries, segments
from app.campaigns.models import Campaign, Will
from app.campaigns.segments import Segment
from app.clock import now
from app.db import database_now, transaction
from app.errors import Conflict, NotAllowed
from app.extensions import db
from app.messages import bulk
from app.messages.rules import Draft

LATE = timedelta(minutes=15)
SETTLED_WITHIN = timedelta(days=2)
OFF = "This campaign is canceled"
NOBODY = "Nobody matches: choose more fans"
TOO_MANY = f"One campaign reaches at most {segments.MOST:,} fans: choose fewer"
REFUSALS = {"completed": "This campaign is over", "canceled": OFF}


def launch(viewer: User, account_id: int | None, name: str, draft: Draft, fan_ids: Sequence[int]) -> Campaign:
    """Write the draft, rendered, to each of these fans of an account; who can't be written to is `rejected`.

    Raises NotAllowed for who isn't a creator, NotFound or Invalid when the account isn't the viewer's to name.
    """
    with transaction():
        campaign = _begin(viewer, account_id, name, draft)
        planning.plan_named(campaign, fan_ids)
        campaign.planned_at = now()
        _audit("launched", viewer, campaign, recipients=campaign.wanted)
        return campaign


def launch_to(viewer: User, account_id: int, name: str, draft: Draft, segment: Segment) -> Campaign:
    """Write the draft, rendered, to each fan of a segment; those beyond the first batch are written by a job.

    Raises NotAllowed for who isn't a creator, NotFound, and Conflict when the segment is empty or too large.
    """
    with transaction():
        campaign = _begin(viewer, account_id, name, draft)
        reached = segments.audience(account_id, segment, campaign.created_at, some=0)
        if reached.too_many or not reached.reachable:
            raise Conflict(TOO_MANY if reached.too_many else NOBODY)
        campaign.segment, campaign.wanted = segment.plain(), reached.reachable
        planning.plan_first(campaign)
        _audit("launched", viewer, campaign, recipients=campaign.wanted)
        return campaign


def _begin(viewer: User, account_id: int | None, name: str, draft: Draft) -> Campaign:
    if viewer.role != Role.CREATOR:
        raise NotAllowed("Campaigns are for creators")
    account = accounts.account(viewer, account_id)
    campaign = Campaign(
        account_id=account.id,
        author_id=viewer.id,
        name=name,
        text=draft.text,
        price_cents=draft.price_cents,
        attachments=list(draft.attachments),
        priority=draft.priority,
        status=Will.ACTIVE,
        rejected=[],
        scheduled_at=draft.scheduled_at,
        created_at=now(),
    )
    db.session.add(campaign)
    db.session.flush()
    return campaign


def pause(viewer: User, campaign_id: int) -> Campaign:
    """Nothing of it goes any more until it is resumed; raises NotAllowed, NotFound, or Conflict when it is over."""
    with transaction():
        campaign = _unfinished(viewer, campaign_id)
        if campaign.status == Will.ACTIVE:
            _decide(viewer, campaign, Will.PAUSED, "paused")
            bulk.hold(campaign.id)
        return campaign


def resume(viewer: User, campaign_id: int) -> Campaign:
    """It goes on with those who haven't got it yet; raises NotAllowed, NotFound, or Conflict when it is over."""
    with transaction():
        campaign = _unfinished(viewer, campaign_id)
        if campaign.status != Will.ACTIVE:
            was_late = campaign.status == Will.LATE
            _decide(viewer, campaign, Will.ACTIVE, "resumed")
            bulk.release(campaign.id, due_at=now() if was_late else None)
        return campaign


def cancel(viewer: User, campaign_id: int) -> Campaign:
    """Take back what hasn't left yet; raises NotAllowed, NotFound, or Conflict when it is over."""
    with transaction():
        campaign = _unfinished(viewer, campaign_id)
        _decide(viewer, campaign, Will.CANCELED, "canceled")
        bulk.cancel(campaign.id)
        return campaign


def retry_failed(viewer: User, campaign_id: int) -> int:
    """Queue its failed messages again, but for fans that can't be reached; how many. Conflict unless it is going on."""
    with transaction():
        campaign = queries.campaign(viewer, campaign_id)
        if campaign.status != Will.ACTIVE:
            raise Conflict(OFF if campaign.status == Will.CANCELED else "Resume the campaign first")
        many = bulk.retry_failed(campaign.id, viewer.id)
        _audit("retried", viewer, campaign, recipients=many)
        return many


def hold_late() -> None:
    """Scheduled campaigns whose time passed while nothing ran ask before they go. May be repeated."""
    due = db.session.scalars(bulk.due_before(database_now() - LATE).distinct()).all()
    if due:
        _ask(Campaign.id.in_(due))


def hold_left_over() -> None:
    """After a downtime: campaigns that it cut off ask before they go on."""
    _ask(Campaign.id.in_(bulk.in_line()))


def _ask(which: ColumnElement[bool]) -> None:
    late = update(Campaign).where(which, Campaign.status == Will.ACTIVE).values(status=Will.LATE)
    with transaction():
        for row in db.session.execute(late.returning(Campaign.id, Campaign.account_id)).all():
            bulk.hold(row.id)
            audit_log.audit("campaign.held", account_id=row.account_id, campaign_id=row.id)


def settle_canceled() -> None:
    """What canceled campaigns still had on its way and wasn't delivered is canceled too. May be repeated."""
    recent = select(Campaign.id).where(Campaign.status == Will.CANCELED, Campaign.canceled_at > now() - SETTLED_WITHIN)
    bulk.cancel_known(db.session.scalars(recent).all())


def _unfinished(viewer: User, campaign_id: int) -> Campaign:
    standing = queries.standing(viewer, campaign_id)
    if standing.stage in REFUSALS:
        raise Conflict(REFUSALS[standing.stage])
    return standing.campaign


def _decide(viewer: User, campaign: Campaign, will: Will, action: str) -> None:
    """Before its messages are touched: whoever writes some of them at this moment has to wait, or has committed."""
    decided = db.session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.status == campaign.status)
        .values(status=will, canceled_at=now() if will == Will.CANCELED else None)
        .returning(Campaign.id)
    )
    if decided.first() is None:
        raise Conflict("Somebody else decided about this campaign at the same moment")
    _audit(action, viewer, campaign)


def _audit(action: str, viewer: User, campaign: Campaign, **details: int) -> None:
    audit_log.audit(
        f"campaign.{action}", user=viewer, account_id=campaign.account_id, campaign_id=campaign.id, **details
    )
