"""The many fans of the demo who came and, mostly, left in the last two years; names are put together by chance."""

from datetime import datetime, timedelta
from random import Random

from app.cli.demo_people import DemoFan

TWO_YEARS = 715
MONTH = timedelta(days=30)
EARLY = 4
SIZES = {"acct_demo_ada": 150, "acct_demo_bea": 70, "acct_demo_eve": 90}
TIERS = ("Basic", "Silver", "Gold", "VIP")
LIKELY = (50, 28, 17, 5)
STAY = {"Basic": 0.72, "Silver": 0.8, "Gold": 0.86, "VIP": 0.92}
"""How likely somebody of a tier pays for another month."""
FIRST = (
    "Alma Basil Cora Dexter Edith Fergus Greta Horace Ines Jonas Kit Lena Magnus Nell Oscar Poppy Quentin Rhea Silas "
    "Tessa Ulric Vera Wilbur Xenia York Zelda Amos Briar Cyrus Dahlia Elias Freya"
)
LAST = (
    "Applegarth Bramble Cloverley Dewhurst Elderflower Foxglove Greengage Hawthorn Inkwell Juniper Kingfisher "
    "Larchwood Meadows Nettlefold Orchard Pebble Quicksilver Rowan Saltmarsh Teasel Umber Violetta Willowby Yarrow"
)


def crowd(random: Random, platform_id: str, moment: datetime) -> list[tuple[DemoFan, datetime]]:
    """Fans of an account who never wrote, with the moment of their first payment: the account grows over time."""
    names = random.sample([f"{first} {last}" for first in FIRST.split() for last in LAST.split()], SIZES[platform_id])
    return [_somebody(random, name, moment, place < EARLY) for place, name in enumerate(names)]


def _somebody(random: Random, name: str, moment: datetime, early: bool) -> tuple[DemoFan, datetime]:
    tier = random.choices(TIERS, LIKELY)[0]
    # More join lately than in the beginning, when some do.
    share = random.random() ** 0.6 * (0.02 if early else 1)
    joined = moment - timedelta(days=TWO_YEARS * (1 - share), minutes=random.randrange(1440))
    could, months = (moment - joined) // MONTH + 1, 1
    while months < could and random.random() < STAY[tier]:
        months += 1
    handle = name.lower().replace(" ", "_")
    return DemoFan(name, handle, tier, months, status="active" if months == could else "expired"), joined
