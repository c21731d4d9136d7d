"""Campaigns for tests: launched, their messages, and fans to send them to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.accounts.models import User
from app.campaigns import queries, service
from app.campaigns.models import Campaign
from app.campaigns.rules import Counts
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages import handover
from app.messages.models import Message, Priority
from app.messages.rules import Draft
from tests.support.cast import Cast


def crowd(cast: Cast, many: int, **values: Any) -> list[Fan]:
    """So many more fans of Ada's, who can be written to."""
    with transaction():
        fans = [
            Fan(
                account_id=cast.account.id,
                platform_id=f"c{number}",
                name=f"Fan {number}",
                handle=f"fan_{number}",
                **values,
            )
            for number in range(many)
        ]
        db.session.add_all(fans)
    return fans


def launch(
    author: User,
    fans: Sequence[Fan],
    text: str = "Hi {{name}}!",
    *,
    name: str = "News",
    received: bool = False,
    priority: Priority = Priority.LOW,
    **draft: Any,
) -> Campaign:
    """A campaign to these fans; `received`: its messages may be sent now."""
    made = Draft(text=text, priority=priority, **draft)
    account_id = fans[0].account_id if fans else None
    campaign = service.launch(author, account_id, name, made, [fan.id for fan in fans])
    if received:
        handover.mark_received([message.public_id for message in messages(campaign)])
    return campaign


def messages(campaign: Campaign) -> list[Message]:
    """The campaign's messages, the first ones first, as the database has them."""
    query = select(Message).where(Message.campaign_id == campaign.id).order_by(Message.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def counts(viewer: User, campaign: Campaign) -> Counts:
    """How the campaign's messages stand."""
    return queries.standing(viewer, campaign.id).counts
