"""The desk: what the doors ask of delivery. It never raises because a part is away; it answers None or a reason."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis

from app import clock
from app.campaigns.models import Will
from app.campaigns.queries import Standing
from app.db import database_now
from app.delivery import estimate, heartbeat
from app.delivery.estimate import Situation, Wait
from app.delivery.mailbag import Mailbag
from app.delivery.relay import Relay
from app.delivery.stop import is_stopped
from app.delivery.token_bucket import TokenBucket, View
from app.gateways import sqs
from app.gateways.sqs import Queue, QueueUnavailable
from app.messages import bulk
from app.messages.models import Message, Status
from config import RateLimit, Settings

log = logging.getLogger(__name__)
QUEUE_TIMEOUT = 1.0
PUBLISHED_AT_ONCE = 100
HELD = "Its campaign is paused"
MOVING = (Status.QUEUED, Status.SENDING)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of an account's limit now; `reset_at`: when the next used slot comes back, None: all are free."""

    limit: int
    window_seconds: float
    remaining: int
    reset_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueDepths:
    """About how many tickets are visible, in flight and in the dead letters."""

    visible: int
    in_flight: int
    dead: int


class Desk:
    """One an app, shared by its threads."""

    def __init__(
        self,
        bucket: TokenBucket,
        relay: Relay,
        queues: tuple[Queue | None, Queue | None],
        limit: RateLimit,
        sending: bool,
    ) -> None:
        self.bucket = bucket
        self.relay = relay
        self.mailbag = Mailbag(relay.publish_now)
        self.queue, self.dead_letters = queues
        self.limit = limit
        self.sending = sending

    @classmethod
    def build(cls, settings: Settings, client: redis.Redis) -> "Desk":
        """From configuration; its calls to SQS take at most a second."""
        queues = sqs.pair(settings.sqs_queue_url, settings.sqs_dlq_url, settings.aws_region, QUEUE_TIMEOUT)
        bucket = TokenBucket(client, settings.rate_limit, settings.platform_timeout)
        return cls(bucket, Relay(*queues), queues, settings.rate_limit, settings.limiter_enabled)

    def publish(self, message_ids: Sequence[int]) -> dict[int, str]:
        """Put the tickets of messages that were just committed on SQS, with one short try; never raises for SQS.

        Message id → SQS' id, of those that it took.
        """
        return self.mailbag.post(message_ids)

    def estimate(self, message: Message) -> datetime | None:
        """When the message will go; None while nothing moves."""
        return self.waiting(message).expected_at

    def waiting(self, message: Message) -> Wait:
        """A message's place in line (0: not in line), expected time, and why nothing moves."""
        return self.waits([message])[message.id]

    def waits(self, messages: Sequence[Message]) -> dict[int, Wait]:
        """Message id → its wait; each account's bucket and line are asked once."""
        found: dict[int, Wait] = {}
        for account_id in {message.account_id for message in messages}:
            found |= self._waits(account_id, [message for message in messages if message.account_id == account_id])
        return found

    def _waits(self, account_id: int, messages: Sequence[Message]) -> dict[int, Wait]:
        waits = {message.id: _at_rest(message) for message in messages}
        moving = [message for message in messages if message.status in MOVING and not message.held]
        if not moving:
            return waits
        view = self._peek(account_id)
        found = estimate.situation(account_id, moving)
        reason, now = self._reason(found, view), clock.now()
        for message in moving:
            place = found.places.get(message.id, 0)
            expected = None
            if reason is None and view is not None:
                expected = estimate.expected_at(view, place, self.limit, now)
                expected = max(expected, message.next_attempt_at or expected)
            waits[message.id] = Wait(place, expected, reason)
        return waits

    def publish_campaign(self, campaign_id: int) -> None:
        """Put a campaign's first tickets on SQS, as `publish` does; the relay hands on what is more."""
        self.publish(bulk.unpublished(campaign_id, PUBLISHED_AT_ONCE))

    def completion(self, standing: Standing) -> datetime | None:
        """When the last message of a campaign will have gone; None while nothing of it moves, and once it is over."""
        campaign, counts = standing.campaign, standing.counts
        if campaign.status != Will.ACTIVE or not counts.open + standing.unplanned:
            return None
        later = counts.scheduled + standing.unplanned
        if later:
            return self.finish(campaign.account_id, campaign.priority, later, campaign.scheduled_at)
        return self._finish(campaign.account_id, estimate.calls_until_done(campaign.account_id, campaign.id))

    def finish(self, account_id: int, priority: int, messages: int, due: datetime | None) -> datetime | None:
        """When so many new messages will have gone, the first at `due` (None: now); None while nothing moves."""
        return self._finish(account_id, estimate.calls_before(account_id, priority), messages, due)

    def _finish(self, account_id: int, calls: int, later: int = 0, due: datetime | None = None) -> datetime | None:
        view = self._peek(account_id)
        if view is None or self._standstill(account_id, view) is not None:
            return None
        return estimate.finished_at(view, calls, self.limit, database_now(), later, due)

    def standstill(self, account_id: int) -> str | None:
        """Why nothing of the account moves, in plain words, or None."""
        return self._standstill(account_id, self._peek(account_id))

    def allowance(self, account_id: int) -> Allowance | None:
        """What is left of the account's limit; None when Redis is away."""
        view = self._peek(account_id)
        if view is None:
            return None
        reset_at = None
        if view.back_ms:
            reset_at = database_now() + timedelta(milliseconds=view.back_ms[0] - view.now_ms)
        remaining = max(0, self.limit.messages - len(view.back_ms))
        return Allowance(self.limit.messages, self.limit.window, remaining, reset_at)

    def views(self, account_ids: Sequence[int]) -> dict[int, View]:
        """Account id → how its bucket stands; empty when Redis is away."""
        try:
            return self.bucket.peek_all(account_ids)
        except redis.RedisError as error:
            log.warning("redis_away", extra={"reason": type(error).__name__})
            return {}

    def enabled(self) -> bool:
        """Whether messages may go at all: the stop is off, and so is the switch in the configuration."""
        return self.sending and not is_stopped()

    def active(self) -> bool:
        """Whether a delivery worker was seen lately and Redis answers."""
        return heartbeat.alive("delivery") > 0 and self.redis_answers()

    def redis_answers(self) -> bool:
        """Whether Redis answers now."""
        try:
            return bool(self.bucket.client.ping())
        except redis.RedisError:
            return False

    def queue_depths(self) -> QueueDepths | None:
        """How full the queues are; None when SQS is away."""
        if self.queue is None or self.dead_letters is None:
            return None
        try:
            depth, dead = self.queue.depth(), self.dead_letters.depth()
        except QueueUnavailable:
            return None
        return QueueDepths(depth.visible, depth.in_flight, dead.visible + dead.in_flight)

    def _standstill(self, account_id: int, view: View | None) -> str | None:
        return self._reason(estimate.situation(account_id), view)

    def _reason(self, found: Situation, view: View | None) -> str | None:
        return estimate.standstill(found, view, clock.now(), self.sending and not found.stop, found.worker)

    def _peek(self, account_id: int) -> View | None:
        try:
            return self.bucket.peek(account_id)
        except redis.RedisError as error:
            log.warning("redis_away", extra={"reason": type(error).__name__})
            return None


def _at_rest(message: Message) -> Wait:
    """What there is to say of a message that isn't in line: it is held, scheduled, on its way, or over."""
    if message.held and message.status == Status.QUEUED:
        return Wait(0, None, HELD)
    return Wait(0, message.due_at if message.status == Status.SCHEDULED else None, None)
