"""Turns the demo's dialogues into lines with times; pure, and the same for the same random numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

LINE = re.compile(r"([<>+]|\$ (\d+)) (.+)")
CONTINUED = re.compile(r"\n {6,}")
PICTURES = {"<": 0, ">": 0, "+": 1}
PICTURES_SOLD = 3


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody wrote: `mine` means the creator; money in cents."""

    mine: bool
    text: str
    price_cents: int = 0
    pictures: int = 0


def parse(dialogue: str, names: Mapping[str, str]) -> list[Line]:
    """The lines of a dialogue, as demo_texts.py describes them."""
    return [
        Line(
            mine=sign != "<",
            text=words.replace(" ¶ ", "\n\n").format_map(names),
            price_cents=int(dollars or 0) * 100,
            pictures=PICTURES.get(sign, PICTURES_SOLD),
        )
        for sign, dollars, words in LINE.findall(CONTINUED.sub(" ", dialogue))
    ]


def talk(
    random: Random, dialogues: Sequence[str], names: Mapping[str, str], last_at: datetime
) -> list[tuple[datetime, Line]]:
    """One to three of the dialogues, oldest line first: the last is said at `last_at`, days lie between dialogues."""
    said: list[tuple[datetime, Line]] = []
    at = last_at
    for dialogue in random.sample(dialogues, random.choice((1, 2, 2, 3))):
        for line in reversed(parse(dialogue, names)):
            said.append((at, line))
            at -= timedelta(seconds=random.randint(25, 700))
        at -= timedelta(hours=random.randint(20, 130))
    return said[::-1]


def history(
    random: Random, dialogues: Sequence[str], names: Mapping[str, str], since: datetime, until: datetime
) -> list[tuple[datetime, Line]]:
    """What was said from `since` on, oldest line first: a dialogue every few weeks, each in its turn."""
    said: list[tuple[datetime, Line]] = []
    order = random.sample(dialogues, len(dialogues))
    at, turn = since + timedelta(hours=random.randint(2, 60)), 0
    while at < until:
        for line in parse(order[turn % len(order)], names):
            said.append((at, line))
            at += timedelta(seconds=random.randint(25, 2400))
        at += timedelta(days=random.randint(9, 30), minutes=random.randrange(1440))
        turn += 1
    return [(moment, line) for moment, line in said if moment < until]
