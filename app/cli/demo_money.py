"""What the demo's fans paid in two years: made by chance from a fixed seed, busier in the evening and at weekends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from app.cli.demo_people import MONTHLY_CENTS, DemoFan
from app.cli.demo_talk import Line
from app.earnings.models import Kind

MONTH = timedelta(days=30)
HOURS = (6, 4, 2, 1, 1, 1, 2, 4, 5, 6, 6, 7, 9, 8, 7, 7, 8, 10, 13, 16, 20, 24, 21, 13)
WEEKDAYS = (10, 9, 10, 11, 14, 16, 15)
OFTEN = {"Basic": 0.35, "Silver": 0.7, "Gold": 1.2, "VIP": 2.6}
"""How many of each extra a fan of a tier buys in a month, times what is below."""
EXTRAS = ((Kind.TIP, 1.0, (300, 500, 500, 1000, 1000, 1500, 2500, 5000)),
          (Kind.MESSAGE, 1.1, (500, 800, 900, 1200, 1500, 2000, 2500)),
          (Kind.POST, 0.5, (400, 600, 800, 1000)),
          (Kind.STREAM, 0.35, (300, 500, 1000, 2000)))  # fmt: skip
CREATOR_KEEPS = 0.8


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment, gross cents."""

    kind: Kind
    cents: int
    at: datetime

    def row(self, account_id: int, fan_id: int, platform_id: str) -> dict[str, Any]:
        """The transaction's columns."""
        return {
            "account_id": account_id,
            "fan_id": fan_id,
            "platform_id": platform_id,
            "type": self.kind,
            "gross_cents": self.cents,
            "net_cents": round(self.cents * CREATOR_KEEPS),
            "received_at": self.at,
        }


def payments(
    random: Random,
    demo: DemoFan,
    joined: datetime,
    until: datetime,
    zone: ZoneInfo,
    said: Iterable[tuple[datetime, Line]],
) -> list[Paid]:
    """A subscription every month, what was sold in the conversation, and whatever else came to their mind."""
    found = [Paid(Kind.MESSAGE, line.price_cents, at) for at, line in said if line.price_cents]
    for month in range(demo.months):
        begins = joined + month * MONTH
        if begins > until:
            break
        found.append(Paid(Kind.SUBSCRIPTION, MONTHLY_CENTS[demo.tier], begins))
        found += _extras(random, demo, begins, zone)
    return [paid for paid in found if paid.at <= until]


def _extras(random: Random, demo: DemoFan, begins: datetime, zone: ZoneInfo) -> Iterator[Paid]:
    for kind, share, prices in EXTRAS:
        wanted = OFTEN[demo.tier] * share * (2 if kind is Kind.TIP and "tips" in demo.tags else 1)
        # December is generous.
        wanted *= 1.5 if begins.month == 12 else 1
        for _ in range(int(wanted + random.random() * 1.5)):
            yield Paid(kind, random.choice(prices), _some_time(random, begins, zone))


def _some_time(random: Random, begins: datetime, zone: ZoneInfo) -> datetime:
    """In the month after `begins`, at an hour of the zone at which people are awake."""
    days = [begins + timedelta(days=number) for number in range(random.randrange(24), 30)[:7]]
    day = random.choices(days, [WEEKDAYS[day.weekday()] for day in days])[0].astimezone(zone)
    hour, minute = random.choices(range(24), HOURS)[0], random.randrange(60)
    at = day.replace(hour=hour, minute=minute, second=random.randrange(60), microsecond=0)
    return max(at.astimezone(begins.tzinfo), begins)
