"""Events as the platform posts them, signed, and how many of them still wait to be worked off."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.inbound.models import WebhookEvent
from bench.rig import Rig
from tests.inbound import told

SECRET = "the-platform-signs-with-this"
PATH = "/api/onlyfans/webhooks"
LOOK_EVERY = 0.1
OFTEN = {"messages.received": 12, "messages.sent": 4, "tips.received": 1, "transactions.new": 1}
SELDOM = {"subscriptions.renewed": 1, "messages.deleted": 1, "messages.ppv.unlocked": 1}


@dataclass(frozen=True, slots=True)
class Event:
    """What a fan did: its name, and its payload in the platform's words."""

    name: str
    payload: Any


def event(number: int, fan: int, random: Random, mix: Mapping[str, int]) -> Event:
    """The event of that number in an account's story."""
    second = number % 3600
    make: dict[str, Callable[[], Any]] = {
        "messages.received": lambda: told.message(number, fan, second),
        "messages.sent": lambda: told.message(number, fan, second, by_us=True),
        "messages.deleted": lambda: {"id": told.message(number // 2, fan, second)["id"]},
        "messages.ppv.unlocked": lambda: told.unlock(number // 2, fan, second),
        "tips.received": lambda: told.subscription(fan, second) | {"amountGross": 8, "amountNet": 6.4},
        "transactions.new": lambda: told.transaction(number, fan, second, 8),
        "subscriptions.renewed": lambda: told.subscription(fan, second),
    }
    name = random.choices(list(mix), list(mix.values()))[0]
    return Event(name, make[name]())


def post(account: str, told_event: Event, key: str, secret: str = SECRET) -> str:
    """The request that tells it, as bytes would be written."""
    raw = json.dumps({"event": told_event.name, "account_id": account, "payload": told_event.payload})
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(raw)}",
        f"Signature: {hmac.new(secret.encode(), raw.encode(), hashlib.sha256).hexdigest()}",
        f"X-OFAPI-Idempotency-Key: {key}",
    ]
    return "\r\n".join([*lines, "", raw])


def waiting(rig: Rig) -> int:
    """How many events of the journal aren't over."""
    with rig.app.app_context():
        query = select(func.count()).select_from(WebhookEvent).where(WebhookEvent.done_at.is_(None))
        return db.session.execute(query).scalar_one()


def worked_off(rig: Rig, within: float = 120.0) -> float:
    """Wait until none waits: events a second since the first one was done; raises TimeoutError."""
    ends, before = time.monotonic() + within, waiting(rig)
    began, last = time.monotonic(), before
    while last and time.monotonic() < ends:
        time.sleep(LOOK_EVERY)
        last = waiting(rig)
        if last == before:
            began = time.monotonic()
    if last:
        raise TimeoutError(f"{last} events still wait")
    return before / (time.monotonic() - began)
