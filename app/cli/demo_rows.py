"""The rows of the demo: made from its people and texts, the same each time but for the moment of loading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from random import Random

from app.accounts import service as accounts
from app.accounts.models import Account, Membership, User
from app.cli import demo_messages
from app.cli.demo_people import ACCOUNTS, FANS, MANAGER, MONTHLY_CENTS, PASSWORD, PEOPLE, DemoAccount, DemoFan
from app.cli.demo_talk import Line, talk
from app.cli.demo_texts import TEXTS
from app.clock import now
from app.conversations.models import Conversation
from app.conversations.service import PREVIEW_LENGTH
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status

SEED = 1126
MONTH = timedelta(days=30)
TIP_CENTS = 1500
# These two have not written yet, and nobody knows the platform's id of the first.
SILENT = ("zekeharbour", "tallulahpike")
# Whoever wrote longer ago than this many others has been read.
ANSWERED_FROM = 14


@dataclass(frozen=True, slots=True)
class Story:
    """A fan, what the two said so far, oldest first, and how many of the last lines nobody has read."""

    demo: DemoFan
    fan: Fan
    said: list[tuple[datetime, Line]]
    unread: int


def insert() -> tuple[int, int]:
    """Insert everybody and everything in one transaction; how many fans and messages that made."""
    random = Random(SEED)  # noqa: S311 (invented people, no secrets)
    moment = now()
    fans = messages = 0
    with transaction():
        people = {email: accounts.create_user(email, name, role, PASSWORD) for email, name, role in PEOPLE}
        for plan in ACCOUNTS:
            account = _account(plan, people, moment)
            stories = [_story(plan, account, place, random, moment) for place in range(len(FANS[plan.platform_id]))]
            db.session.add_all(story.fan for story in stories)
            db.session.flush()
            authors = [people[plan.owner].id] * 3 + [people[MANAGER if plan.managed else plan.owner].id]
            rows = _threads([story for story in stories if story.said], authors, random)
            fans, messages = fans + len(stories), messages + len(rows)
    return fans, messages


def _account(plan: DemoAccount, people: Mapping[str, User], moment: datetime) -> Account:
    account = Account(
        platform_id=plan.platform_id,
        owner_id=people[plan.owner].id,
        display_name=plan.display_name,
        time_zone=plan.time_zone,
        created_at=moment - 24 * MONTH,
    )
    db.session.add(account)
    db.session.flush()
    if plan.managed:
        db.session.add(Membership(account_id=account.id, user_id=people[MANAGER].id))
    return account


def _story(plan: DemoAccount, account: Account, place: int, random: Random, moment: datetime) -> Story:
    demo = FANS[plan.platform_id][place]
    # The newest conversations are minutes old, the oldest some weeks.
    last_at = moment - timedelta(minutes=4 * 1.27**place)
    names = {"fan": demo.name.split()[0], "creator": plan.display_name.split()[0]}
    said = [] if demo.handle in SILENT else talk(random, TEXTS[plan.platform_id], names, last_at)
    fans_last_words = len(list(takewhile(lambda one: not one[1].mine, reversed(said))))
    fan = Fan(
        account_id=account.id,
        platform_id=None if demo.handle == SILENT[0] else str(plan.first_fan_id + 37 * place),
        name=demo.name,
        handle=demo.handle,
        email=f"{demo.handle}@example.org" if place % 2 else None,
        tier=demo.tier,
        status=demo.status,
        tags=demo.tags.split(),
        notes=demo.notes,
        value_cents=_spent(demo, said),
        last_seen_at=last_at,
        created_at=min(moment - demo.months * MONTH, *(at - MONTH for at, _ in said[:1]), moment),
    )
    return Story(demo, fan, said, unread=fans_last_words if place < ANSWERED_FROM else 0)


def _spent(demo: DemoFan, said: list[tuple[datetime, Line]]) -> int:
    """Every month's subscription, a tip a month from those who tip, and all that they were offered."""
    monthly = MONTHLY_CENTS[demo.tier] + (TIP_CENTS if "tips" in demo.tags else 0)
    return demo.months * monthly + sum(line.price_cents for _, line in said)


def _threads(stories: list[Story], authors: list[int], random: Random) -> list[Message]:
    threads = [Conversation(account_id=s.fan.account_id, fan_id=s.fan.id, created_at=s.said[0][0]) for s in stories]
    db.session.add_all(threads)
    db.session.flush()
    rows = [
        row for thread, story in zip(threads, stories, strict=True) for row in _thread(thread, story, authors, random)
    ]
    db.session.add_all(rows)
    return rows


def _thread(thread: Conversation, story: Story, authors: list[int], random: Random) -> list[Message]:
    first_unread = len(story.said) - story.unread
    rows = [
        demo_messages.message(thread, line, at, random.choice(authors), read=number < first_unread)
        for number, (at, line) in enumerate(story.said)
    ]
    special = demo_messages.SPECIAL.get(story.demo.handle)
    if special is not None:
        rows.append(special(thread, rows[-1].created_at + timedelta(minutes=3), authors[0]))
    if rows[-1].status == Status.FAILED:
        story.fan.unreachable_at = rows[-1].failed_at
    thread.last_message, thread.last_message_at = rows[-1].text[:PREVIEW_LENGTH], rows[-1].created_at
    thread.last_direction, thread.unread_count = rows[-1].direction, story.unread
    thread.version = len(rows)
    return rows
