"""From a campaign to its messages: who gets it, with which text; many are written in batches that survive a crash.

A batch is one transaction: its messages, and how far the campaign is planned with them. Whoever goes on, after a crash
or at the same time, begins where the last batch ended; and each fan can have only one message of a campaign.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

import redis as redis_client
from sqlalchemy import or_, select, update

from app import jobs
from app.campaigns import rules, segments
from app.campaigns.models import Campaign, Will
from app.campaigns.segments import RECIPIENT, Recipient, Segment
from app.clock import now
from app.db import database_now, on_commit, transaction
from app.extensions import db, redis
from app.fans.models import Fan
from app.messages import bulk
from app.messages.models import Priority
from app.messages.rules import Draft

log = logging.getLogger(__name__)
UNKNOWN = "This account has no fan with this id"
NO_PLATFORM_ID = "Their id at the platform isn't known yet, so nothing can reach them"
UNREACHABLE = "The platform says that this fan can't be written to"
PLAN = "app.campaigns.planning.plan"
BATCH = 500
LEASE = timedelta(seconds=60)


def plan_named(campaign: Campaign, fan_ids: Sequence[int]) -> None:
    """Write the messages to these fans, each once; the campaign notes who was rejected and why.

    In the caller's transaction, and in the same number of queries however many they are.
    """
    wanted = dict.fromkeys(fan_ids)
    query = select(*RECIPIENT).where(
        Fan.account_id == campaign.account_id, Fan.id.in_(wanted), Fan.removed_at.is_(None)
    )
    texts, reasons = _letters(campaign, db.session.execute(query))
    campaign.rejected = [_rejected(fan_id, reasons.get(fan_id, UNKNOWN)) for fan_id in wanted if fan_id not in texts]
    campaign.wanted = len(texts)
    _write(campaign, {fan_id: texts[fan_id] for fan_id in wanted if fan_id in texts})


def plan_first(campaign: Campaign) -> None:
    """Write the first batch of a segment's messages, in the launching transaction; a job writes those that follow."""
    if _write_batch(campaign):
        campaign.planner_until = database_now() + LEASE
        on_commit(partial(_enqueue, campaign.id))


def plan(campaign_id: int) -> None:
    """Write what is missing of a campaign's messages: the job of a background worker."""
    while plan_batch(campaign_id):
        pass


def plan_batch(campaign_id: int) -> bool:
    """Write the next batch; whether more follow."""
    with transaction():
        # Locks the row: whoever else plans this campaign, or pauses it, waits until this batch is there.
        taken = update(Campaign).where(Campaign.id == campaign_id, Campaign.planned_at.is_(None))
        taken = taken.values(planner_until=database_now() + LEASE).returning(Campaign.id)
        if db.session.scalar(taken) is None:
            return False
        return _write_batch(db.session.get_one(Campaign, campaign_id, populate_existing=True))


def hand_on_stalled() -> None:
    """Give campaigns whose messages nobody writes (any more) to the background, again if need be."""
    with transaction():
        at = database_now()
        stalled = update(Campaign).where(
            Campaign.planned_at.is_(None), or_(Campaign.planner_until.is_(None), Campaign.planner_until < at)
        )
        for campaign_id in db.session.scalars(stalled.values(planner_until=at + LEASE).returning(Campaign.id)).all():
            on_commit(partial(_enqueue, campaign_id))


def _enqueue(campaign_id: int) -> None:
    try:
        jobs.enqueue(redis(), PLAN, campaign_id)
    except redis_client.RedisError as error:
        log.warning("plan_not_enqueued", extra={"reason": type(error).__name__})


def _write_batch(campaign: Campaign) -> bool:
    """The next messages of a campaign to a segment; whether more follow."""
    fans: Sequence[Recipient] = ()
    if campaign.status != Will.CANCELED:
        segment, at = Segment.of(campaign.segment or {}), campaign.created_at
        fans = segments.following(campaign.account_id, segment, at, campaign.planned_to, BATCH)
        texts, reasons = _letters(campaign, fans)
        _write(campaign, texts)
        campaign.rejected = [*campaign.rejected, *(_rejected(*one) for one in reasons.items())]
    if len(fans) < BATCH:
        campaign.planned_at = now()
    else:
        campaign.planned_to = fans[-1].id
    return campaign.planned_at is None


def _letters(campaign: Campaign, fans: Iterable[Recipient]) -> tuple[dict[int, str], dict[int, str]]:
    """Fan id → what is written to them, and fan id → why nothing is."""
    texts: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for fan in fans:
        text = rules.render(campaign.text, fan)
        reason = _fault(fan) or rules.unsendable(text)
        if reason is None:
            texts[fan.id] = text
        else:
            reasons[fan.id] = reason
    return texts, reasons


def _rejected(fan_id: int, reason: str) -> dict[str, str | int]:
    return {"recipientId": fan_id, "reason": reason}


def _fault(fan: Recipient) -> str | None:
    if fan.platform_id is None:
        return NO_PLATFORM_ID
    return UNREACHABLE if fan.unreachable_at is not None else None


def _write(campaign: Campaign, texts: dict[int, str]) -> None:
    draft = Draft(
        text=campaign.text,
        priority=Priority(campaign.priority),
        price_cents=campaign.price_cents,
        attachments=tuple(campaign.attachments),
        scheduled_at=campaign.scheduled_at,
    )
    batch = bulk.Batch(
        account_id=campaign.account_id,
        campaign_id=campaign.id,
        author_id=campaign.author_id,
        draft=draft,
        held=campaign.status != Will.ACTIVE,
        at=campaign.created_at,
    )
    bulk.write(batch, texts)
