"""From a campaign to its messages: who gets it, with which text."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Row, select

from app.campaigns import rules
from app.campaigns.models import Campaign, Will
from app.extensions import db
from app.fans.models import Fan
from app.messages import bulk
from app.messages.models import Priority
from app.messages.rules import Draft

UNKNOWN = "This account has no fan with this id"
NO_PLATFORM_ID = "Their id at the platform isn't known yet, so nothing can reach them"
UNREACHABLE = "The platform says that this fan can't be written to"
RECIPIENT = (Fan.id, Fan.platform_id, Fan.name, Fan.handle, Fan.tier, Fan.unreachable_at)
Recipient = Row[int, str | None, str, str | None, str | None, object]


def plan_named(campaign: Campaign, fan_ids: Sequence[int]) -> None:
    """Write the messages to these fans, each once; the campaign notes who was rejected and why.

    In the caller's transaction, and in the same number of queries however many they are.
    """
    wanted = dict.fromkeys(fan_ids)
    query = select(*RECIPIENT).where(Fan.account_id == campaign.account_id, Fan.id.in_(wanted))
    texts, reasons = _letters(campaign, db.session.execute(query))
    campaign.rejected = [
        {"recipientId": fan_id, "reason": reasons.get(fan_id, UNKNOWN)} for fan_id in wanted if fan_id not in texts
    ]
    campaign.wanted = len(texts)
    _write(campaign, {fan_id: texts[fan_id] for fan_id in wanted if fan_id in texts})


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
