"""What is measured once a minute, by one worker: how full the queues are, and what is overdue."""

import logging
import time

from app.delivery import dead_letters, heartbeat, overdue
from app.delivery.overdue import Overdue
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.errors import Unavailable
from app.gateways import metrics
from app.gateways.metrics import WITHOUT_ROW, Metric
from app.gateways.sqs import QueueUnavailable

log = logging.getLogger(__name__)
SORTED_EVERY = 600.0


class Gauges:
    """Of the worker called `name`. All of them have one, and the first by name of those alive reads it.

    `sending` False: the limiter is switched off, so that nothing is overdue.
    """

    def __init__(self, name: str, relay: Relay, bucket: TokenBucket, sending: bool) -> None:
        self.name = name
        self.sending = sending
        self.relay = relay
        self.bucket = bucket
        self.sorted_at = 0.0
        self.sorted_of: int | None = None
        self.without_row = 0

    def read(self) -> None:
        """Measure everything; raises SQLAlchemyError when the database is away."""
        if heartbeat.first("delivery") != self.name:
            return
        found = overdue.find(self.bucket) if self.sending else Overdue(0, 0.0)
        metrics.record(Metric.OVERDUE_MESSAGES, found.messages)
        metrics.record_duration(Metric.OLDEST_OVERDUE, found.oldest)
        try:
            self._read_queues()
        except (QueueUnavailable, Unavailable) as error:
            log.warning("queues_unread", extra={"reason": str(error)[:200]})

    def _read_queues(self) -> None:
        if self.relay.queue is None or self.relay.dead_letters is None:
            return
        metrics.record(Metric.QUEUE_DEPTH, self.relay.queue.depth().visible)
        dead = self.relay.dead_letters.depth().visible
        metrics.record(Metric.DEAD_LETTER_COUNT, dead)
        metrics.record(Metric.DEAD_LETTER_COUNT, self._without_row(dead), dimensions=WITHOUT_ROW)

    def _without_row(self, dead: int) -> int:
        """Looking through them costs a call for every ten: only when their number has changed, or after ten minutes."""
        if dead != self.sorted_of or time.monotonic() - self.sorted_at > SORTED_EVERY:
            self.without_row = dead_letters.count_without_row(self.relay) if dead else 0
            self.sorted_of, self.sorted_at = dead, time.monotonic()
        return self.without_row
