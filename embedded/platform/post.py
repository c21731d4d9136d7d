"""The platform's webhooks on their way: signed, tried again, now and then doubled or late, as the real ones are."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import aiohttp

from embedded.platform import clock

ALL_EVENTS = (
    "messages.received",
    "messages.sent",
    "messages.ppv.unlocked",
    "messages.deleted",
    "subscriptions.new",
    "subscriptions.renewed",
    "subscriptions.expired",
    "users.typing",
    "users.online",
    "users.offline",
    "posts.liked",
    "tips.received",
    "transactions.new",
    "accounts.connected",
    "accounts.reconnected",
    "accounts.disconnected",
    "accounts.session_expired",
    "accounts.authentication_failed",
    "accounts.otp_code_required",
    "accounts.face_otp_required",
    "test-event",
)
EPHEMERAL = ("users.typing", "users.online", "users.offline")
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
ANSWER_WITHIN = aiohttp.ClientTimeout(total=10, connect=5)
AT_ONCE, WAITING_MOST, REMEMBERED = 8, 20_000, 500
LATE_SECONDS, DOUBLED_SECONDS = (1.0, 6.0), (0.2, 3.0)


@dataclass(slots=True)
class Webhook:
    """Where to tell what: `account_scope` global, inclusive or exclusive of `account_ids`."""

    id: int
    endpoint_url: str
    events: Sequence[str]
    account_scope: str = "global"
    account_ids: Sequence[str] = ()
    signing_secret: str | None = None
    enabled: bool = True

    def wants(self, account: str, event: str) -> bool:
        """Tell whether the event of that account is to be delivered there."""
        named = account in self.account_ids
        in_scope = {"inclusive": named, "exclusive": not named}.get(self.account_scope, True)
        return self.enabled and in_scope and event in self.events


@dataclass(slots=True)
class Delivery:
    """One event for one address; `statuses` are the answers so far, None where there was none."""

    webhook_id: int
    event: str
    account: str
    body: bytes
    key: str | None
    at: float
    statuses: list[int | None] = field(default_factory=list)


class Post:
    """Delivers; `chances` answers how likely an event is doubled, and late."""

    def __init__(
        self, keep: Callable[[str, int | str, object | None], None], chances: Callable[[], tuple[float, float]]
    ) -> None:
        self._keep = keep
        self._chances = chances
        self.random = Random()
        self.webhooks: dict[int, Webhook] = {}
        self.deliveries: deque[Delivery] = deque(maxlen=REMEMBERED)
        self._under_way: set[asyncio.Task[None]] = set()
        self._counter = asyncio.Semaphore(AT_ONCE)

    def put(self, webhook: Webhook) -> Webhook:
        """Add or replace a webhook."""
        self.webhooks[webhook.id] = webhook
        self._keep("webhook", webhook.id, webhook)
        return webhook

    def remove(self, webhook_id: int) -> bool:
        """Take a webhook out; tell whether there was one."""
        self._keep("webhook", webhook_id, None)
        return self.webhooks.pop(webhook_id, None) is not None

    def clear(self) -> None:
        """Forget every webhook, and what is on its way."""
        self.webhooks.clear()
        self.deliveries.clear()
        self.stop()

    def stop(self) -> None:
        """Forget what is on its way."""
        for task in self._under_way:
            task.cancel()

    def tell(self, account: str, event: str, payload: Mapping[str, object]) -> None:
        """Send an event to whoever wants it, without waiting."""
        for webhook in list(self.webhooks.values()):
            if webhook.wants(account, event) and len(self._under_way) < WAITING_MOST:
                self._send(webhook, account, event, payload)

    def _send(self, webhook: Webhook, account: str, event: str, payload: Mapping[str, object]) -> None:
        body = json.dumps({"event": event, "account_id": account, "payload": payload}, separators=(",", ":")).encode()
        key = None if event in EPHEMERAL else f"evt_{secrets.token_hex(20)}"
        delivery = Delivery(webhook.id, event, account, body, key, clock.now())
        self.deliveries.append(delivery)
        doubled, late = self._chances()
        wait = self.random.uniform(*LATE_SECONDS) if self.random.random() < late else 0.0
        self._start(webhook, delivery, wait)
        if key is not None and self.random.random() < doubled:
            self._start(webhook, delivery, wait + self.random.uniform(*DOUBLED_SECONDS))

    def _start(self, webhook: Webhook, delivery: Delivery, wait: float) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(webhook, delivery, wait))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, webhook: Webhook, delivery: Delivery, wait: float) -> None:
        for pause in (wait, *PAUSES):
            await asyncio.sleep(pause)
            async with self._counter:
                status = await _post(webhook, delivery)
            delivery.statuses.append(status)
            if status is not None and 200 <= status < 300:
                return


async def _post(webhook: Webhook, delivery: Delivery) -> int | None:
    headers = {"Content-Type": "application/json", "User-Agent": "OnlyFansAPI.com/Webhook-Client"}
    if delivery.key is not None:
        headers["X-OFAPI-Idempotency-Key"] = delivery.key
    if webhook.signing_secret:
        headers["Signature"] = hmac.new(webhook.signing_secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    try:
        async with (
            aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session,
            session.post(webhook.endpoint_url, data=delivery.body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
