"""Everything at once: faults of every kind, workers killed again and again, Redis flushed, the queue emptied."""

import os
import random
import time

import pytest
import redis

from tests.journeys.audit import audit
from tests.journeys.authors import FINAL, Author
from tests.journeys.house import House, Open

MESSAGES, FANS, ACCOUNTS = 20, 4, 3
SEED = int(os.environ.get("CHAOS_SEED", "7"))
FAULTS: list[tuple[str, float, dict[str, object]]] = [
    ("status", 0.05, {"status": 500}),
    ("reset", 0.03, {}),
    ("html_502", 0.02, {}),
    ("hang", 0.02, {}),
    ("status_after_delivery", 0.05, {"status": 500}),
    ("reset_after_delivery", 0.03, {"kept": False}),
    ("hang_after_delivery", 0.03, {"kept": False}),
    ("no_id_after_delivery", 0.02, {}),
    ("status", 0.05, {"status": 503, "call": "list_messages"}),
    ("hang", 0.02, {"call": "list_messages"}),
    ("latency", 0.05, {"seconds": 1.0, "jitter": 0.5}),
    ("latency", 1.0, {"seconds": 0.02, "jitter": 0.3, "call": "any"}),
]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_whatever_happens_every_message_arrives_once_or_says_why_not(open_another: Open) -> None:
    dice = random.Random(SEED)
    house = open_another(simulate=(f"seed={SEED}",))
    for _ in range(2):
        house.start_worker()
    for kind, probability, rule in FAULTS:
        house.sim.fault(kind, probability=probability, **rule)
    authors = [house.author() for _ in range(ACCOUNTS)]
    for _ in range(MESSAGES):
        for author in authors:
            author.write(f"{dice.random()}", to=str(dice.randrange(1001, 1001 + FANS)), priority=_priority(dice))
    _rage(house, authors, dice)
    for author in authors:
        author.wait_until_final(30)
    house.sim.works_again()
    for author in authors:
        audit(author, gap=0.0)  # two workers: on a busy machine their calls come to the door unevenly
        print(author.platform_id, author.statuses(), len(author.entries()))


def _rage(house: House, authors: list[Author], dice: random.Random) -> None:
    """For half a minute: kill a worker every few seconds; flush Redis once, and empty the queue once."""
    ends = time.monotonic() + 30
    flush_at, purge_at = (time.monotonic() + dice.uniform(2, 15) for _ in range(2))
    kill_at = time.monotonic() + dice.uniform(1, 4)
    while time.monotonic() < ends and any(set(author.statuses()) - set(FINAL) for author in authors):
        if time.monotonic() > kill_at:
            dice.choice(house.workers).kill_delivery()
            kill_at = time.monotonic() + dice.uniform(4, 8)
        if time.monotonic() > flush_at:
            with redis.Redis.from_url(house.parts.redis_url) as client:
                client.flushall()
            flush_at = ends
        if time.monotonic() > purge_at:
            house.parts.purge()
            purge_at = ends
        house.hurry()
        time.sleep(0.5)
    while time.monotonic() < ends + 60 and any(set(author.statuses()) - set(FINAL) for author in authors):
        house.hurry()
        time.sleep(0.5)


def _priority(dice: random.Random) -> str:
    return dice.choice(("high", "normal", "low"))
