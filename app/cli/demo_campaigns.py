"""The demo's campaigns: two that are over, with what fans did afterwards, and one that was paused halfway."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from app.campaigns import rules
from app.campaigns.models import Campaign, Will
from app.cli import demo_messages
from app.cli.demo_money import Paid
from app.cli.demo_talk import Line
from app.conversations.models import Conversation
from app.conversations.service import PREVIEW_LENGTH
from app.earnings.models import Kind
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Priority, Status

PACE = timedelta(seconds=6)
TIPS = (300, 500, 500, 1000, 1500, 2500)
ANSWERS = (
    "The third one from the left, no question!",
    "Oh, I had been hoping for this 😊",
    "What a lovely message to wake up to",
    "Number seven. It looks like the river is humming.",
    "Count me in!",
    "You always make my Sunday",
    "Is there one with the lighthouse in it?",
    "Happy to be here, and looking forward to whatever comes next",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign: how long ago, to how many, how many of them got it so far, answered, and left a tip."""

    name: str
    text: str
    ago: timedelta
    fans: int
    sent: int
    answered: int
    tipped: int
    fails: bool = False


PLANS = (
    Plan(
        "Winter series, first look",
        "Hi {{name}}! The first contact sheets of the winter series hang on the wall. Which frame would you print? 🎞️",
        timedelta(days=12, hours=3), fans=18, sent=18, answered=9, tipped=6, fails=True,
    ),
    Plan(
        "The studio turns two",
        "Dear {{name}}, the little studio turns two today. Thank you for being a part of it 🎂",
        timedelta(days=5, hours=7), fans=14, sent=14, answered=9, tipped=4,
    ),
    Plan(
        "A walk by the river",
        "{{name}}, on Sunday I'll take the old camera for a walk by the river. What should I look out for?",
        timedelta(hours=3), fans=12, sent=5, answered=2, tipped=0,
    ),
)  # fmt: skip


def launch(author_id: int, fans: Sequence[tuple[Fan, list[Paid]]], random: Random, moment: datetime) -> int:
    """Write the campaigns to some of these fans, who have no conversation yet; how many messages that made.

    What they paid afterwards is added to their payments.
    """
    chosen = random.sample(fans, sum(plan.fans for plan in PLANS))
    messages: list[Message] = []
    for plan in PLANS:
        mine, chosen = chosen[: plan.fans], chosen[plan.fans :]
        messages += _campaign(plan, author_id, mine, random, moment - plan.ago)
    db.session.add_all(messages)
    return len(messages)


def _campaign(
    plan: Plan, author_id: int, fans: Sequence[tuple[Fan, list[Paid]]], random: Random, at: datetime
) -> list[Message]:
    campaign = Campaign(
        account_id=fans[0][0].account_id, author_id=author_id, name=plan.name, text=plan.text, wanted=plan.fans,
        status=Will.ACTIVE if plan.sent == plan.fans else Will.PAUSED, created_at=at, planned_at=at,
    )  # fmt: skip
    threads = [Conversation(account_id=fan.account_id, fan_id=fan.id, created_at=at) for fan, _ in fans]
    db.session.add_all([campaign, *threads])
    db.session.flush()
    found: list[Message] = []
    for place, ((fan, paid), thread) in enumerate(zip(fans, threads, strict=True)):
        rows = [_letter(plan, campaign, fan, thread, place)]
        if plan.fails and place == plan.sent - 1:
            demo_messages.refuse(rows[0])
            fan.unreachable_at = rows[0].failed_at
        elif place < plan.answered:
            later = rows[0].created_at + timedelta(minutes=random.randint(4, 90))
            rows.append(demo_messages.message(thread, Line(mine=False, text=random.choice(ANSWERS)), later, author_id))
        if place % 3 == 0 and place < 3 * plan.tipped:
            paid.append(Paid(Kind.TIP, random.choice(TIPS), at + timedelta(minutes=random.randint(30, 2000))))
            fan.value_cents += paid[-1].cents
        last = rows[-1]
        thread.last_message, thread.last_message_at = last.text[:PREVIEW_LENGTH], last.created_at
        thread.last_direction, thread.version = last.direction, len(rows)
        found += rows
    return found


def _letter(plan: Plan, campaign: Campaign, fan: Fan, thread: Conversation, place: int) -> Message:
    line = Line(mine=True, text=rules.render(plan.text, fan))
    row = demo_messages.message(thread, line, campaign.created_at + place * PACE, campaign.author_id)
    row.campaign_id, row.priority = campaign.id, Priority.LOW
    if place >= plan.sent:
        row.status, row.held, row.attempts, row.sent_at = Status.QUEUED, True, 0, None
    return row
