"""What creators do to campaigns: launch one, pause it, let it go on, cancel it, send the failed ones again."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update

from app.accounts import queries as accounts
from app.accounts import service as audit_log
from app.accounts.models import Role, User
from app.campaigns import planning, queries
from app.campaigns.models import Campaign, Will
from app.clock import now
from app.db import transaction
from app.errors import Conflict, NotAllowed
from app.extensions import db
from app.messages import bulk
from app.messages.rules import Draft

SETTLED_WITHIN = timedelta(days=2)
OFF = "This campaign is canceled"
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
            _decide(viewer, campaign, Will.ACTIVE, "resumed")
            bulk.release(campaign.id)
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
