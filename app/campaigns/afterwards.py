"""What fans did after they got a campaign: who answered, who paid, within a week of its last message."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, func, select

from app.campaigns.models import Campaign
from app.earnings.models import Kind, Transaction
from app.extensions import db
from app.messages.models import Message, Status

WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Afterwards:
    """How many fans answered, how many paid (subscriptions aside), and how much that was, in cents."""

    replied: int
    bought: int
    gross_cents: int
    net_cents: int


def afterwards(campaign: Campaign) -> Afterwards:
    """What came after a campaign that the viewer may see; what a fan did before they got it doesn't count."""
    got_it = (Message.campaign_id == campaign.id) & (Message.status == Status.SENT)
    last = db.session.scalar(select(func.max(Message.sent_at)).where(got_it))
    if last is None:
        return Afterwards(0, 0, 0, 0)
    answer = Message.__table__.alias("answer")
    answered = exists().where(
        answer.c.conversation_id == Message.conversation_id,
        answer.c.direction == "in",
        answer.c.created_at > Message.sent_at,
        answer.c.created_at <= last + WITHIN,
    )
    replied = db.session.scalar(select(func.count(Message.fan_id.distinct())).where(got_it, answered))
    paid = db.session.execute(
        select(
            func.count(Transaction.fan_id.distinct()),
            func.coalesce(func.sum(Transaction.gross_cents), 0),
            func.coalesce(func.sum(Transaction.net_cents), 0),
        )
        .join(Message, Message.fan_id == Transaction.fan_id)
        .where(got_it, Transaction.account_id == campaign.account_id, Transaction.type != Kind.SUBSCRIPTION)
        .where(Transaction.received_at > Message.sent_at, Transaction.received_at <= last + WITHIN)
    ).one()
    return Afterwards(replied or 0, paid[0], int(paid[1]), int(paid[2]))
