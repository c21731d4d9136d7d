"""The rows of the demo: made from its people and texts, the same each time but for the moment of loading."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import insert as insert_rows

from app.accounts import service as accounts
from app.accounts.models import Account, Membership, User
from app.analytics import service as analytics
from app.cli import demo_campaigns, demo_messages
from app.cli.demo_crowd import crowd
from app.cli.demo_money import Paid, payments
from app.cli.demo_people import ACCOUNTS, FANS, MANAGER, PASSWORD, PEOPLE, DemoAccount, DemoFan
from app.cli.demo_talk import Line, history, talk
from app.cli.demo_texts import TEXTS
from app.clock import now
from app.conversations.models import Conversation
from app.conversations.service import PREVIEW_LENGTH
from app.db import transaction
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status

SEED = 1126
DAY, MONTH = timedelta(days=1), timedelta(days=30)
# These two have not written yet, and nobody knows the platform's id of the first.
SILENT = ("zekeharbour", "tallulahpike")
# Whoever wrote longer ago than this many others has been read.
ANSWERED_FROM = 14


@dataclass(frozen=True, slots=True)
class Story:
    """A fan, what the two said so far, oldest first, how many of the last lines nobody has read, what was paid."""

    demo: DemoFan
    fan: Fan
    said: list[tuple[datetime, Line]]
    unread: int
    paid: list[Paid]


@dataclass(frozen=True, slots=True)
class Chance:
    """Two rows of random numbers: what was said lately stays the same, whatever is made up about the years before."""

    talk: Random
    past: Random


def insert() -> tuple[int, int, int]:
    """Insert everybody and everything in one transaction; how many fans, messages and payments that made."""
    chance = Chance(Random(SEED), Random(SEED + 1))  # noqa: S311 (invented people, no secrets)
    moment = now()
    fans = messages = received = 0
    with transaction():
        people = {email: accounts.create_user(email, name, role, PASSWORD) for email, name, role in PEOPLE}
        for plan in ACCOUNTS:
            account = _account(plan, people, moment)
            stories = [_story(plan, account, place, chance, moment) for place in range(len(FANS[plan.platform_id]))]
            stories += _crowd(plan, account, chance.past, moment)
            db.session.add_all(story.fan for story in stories)
            db.session.flush()
            authors = [people[plan.owner].id] * 3 + [people[MANAGER if plan.managed else plan.owner].id]
            rows = _threads([story for story in stories if story.said], authors, chance.talk)
            written = len(rows)
            if plan.platform_id == ACCOUNTS[0].platform_id:
                silent = [(story.fan, story.paid) for story in stories if not story.said and story.fan.platform_id]
                written += demo_campaigns.launch(people[plan.owner].id, silent, Random(SEED + 2), moment)  # noqa: S311
            fans, messages, received = fans + len(stories), messages + written, received + _receive(stories)
        analytics.rebuild()
    return fans, messages, received


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


def _story(plan: DemoAccount, account: Account, place: int, chance: Chance, moment: datetime) -> Story:
    demo = FANS[plan.platform_id][place]
    # The newest conversations are minutes old, the oldest some weeks.
    last_at = moment - timedelta(minutes=4 * 1.27**place)
    names = {"fan": demo.name.split()[0], "creator": plan.display_name.split()[0]}
    texts = TEXTS[plan.platform_id]
    said = [] if demo.handle in SILENT else talk(chance.talk, texts, names, last_at)
    fans_last_words = len(list(takewhile(lambda one: not one[1].mine, reversed(said))))
    # Not everybody began on the same day of a month.
    began = moment - demo.months * MONTH + timedelta(minutes=chance.past.randrange(29 * 1440))
    joined = min(began, *(at - timedelta(days=chance.past.randint(1, 28)) for at, _ in said[:1]), moment)
    if said:
        said = history(chance.past, texts, names, joined + DAY, said[0][0] - DAY) + said
    paid = payments(chance.past, demo, joined, moment, ZoneInfo(plan.time_zone), said)
    fan = _fan(account, demo, joined, paid)
    fan.platform_id = None if demo.handle == SILENT[0] else str(plan.first_fan_id + 37 * place)
    fan.email = f"{demo.handle}@example.org" if place % 2 else None
    fan.last_seen_at = last_at
    return Story(demo, fan, said, unread=fans_last_words if place < ANSWERED_FROM else 0, paid=paid)


def _crowd(plan: DemoAccount, account: Account, random: Random, moment: datetime) -> Iterator[Story]:
    for place, (demo, joined) in enumerate(crowd(random, plan.platform_id, moment)):
        paid = payments(random, demo, joined, moment, ZoneInfo(plan.time_zone), ())
        fan = _fan(account, demo, joined, paid)
        fan.platform_id = str(plan.first_fan_id + 100_000 + 41 * place)
        fan.last_seen_at = max(one.at for one in paid)
        yield Story(demo, fan, [], 0, paid)


def _fan(account: Account, demo: DemoFan, joined: datetime, paid: list[Paid]) -> Fan:
    return Fan(
        account_id=account.id,
        name=demo.name,
        handle=demo.handle,
        tier=demo.tier,
        status=demo.status,
        tags=demo.tags.split(),
        notes=demo.notes,
        value_cents=sum(one.cents for one in paid),
        created_at=joined,
    )


def _receive(stories: list[Story]) -> int:
    rows = [
        one.row(story.fan.account_id, story.fan.id, f"demo-{story.fan.id}-{number}")
        for story in stories
        for number, one in enumerate(story.paid)
    ]
    db.session.execute(insert_rows(Transaction), rows)
    return len(rows)


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
