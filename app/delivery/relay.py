"""The relay: messages that are saved → tickets on SQS; and failed ones → dead letters.

The door publishes its own message right after the commit, with one short try. Whatever that misses, and whatever SQS
lost, the worker's relay hands on; when SQS stays away, the rows are handed over without it.
"""

import logging
import time
from collections.abc import Sequence

from app.db import transaction
from app.delivery import tickets
from app.gateways.sqs import Queue, QueueUnavailable
from app.messages import handover

log = logging.getLogger(__name__)
AT_ONCE = 100
HAND_OVER_AT_ONCE = 1000
SKIP_AFTER_FAILURE = 15.0
UNREACHABLE_AFTER = 10.0


class Relay:
    """Puts tickets on the queue. `queue` None: none is configured, rows are handed over without one."""

    def __init__(self, queue: Queue | None, dead_letters: Queue | None) -> None:
        self.queue = queue
        self.dead_letters = dead_letters
        self.failing_since: float | None = None
        self.skip_until = 0.0
        self.skip_burials_until = 0.0

    def publish_now(self, message_ids: Sequence[int]) -> dict[int, str]:
        """For a door after its commit: one try; skipped for a while after a failure. Never raises for the queue.

        Message id → SQS' id, of those that it took.
        """
        if self.queue is None or time.monotonic() < self.skip_until:
            return {}
        try:
            return self._publish(message_ids)
        except QueueUnavailable as error:
            self.skip_until = time.monotonic() + SKIP_AFTER_FAILURE
            log.warning("publish_failed", extra={"reason": str(error)[:200]})
            return {}

    def relay_once(self) -> list[int]:
        """Publish what isn't on SQS; accounts whose rows were handed over directly because it is away."""
        if self.unreachable():
            accounts = handover.hand_over(HAND_OVER_AT_ONCE)
            if accounts:
                log.warning("handed_over_without_queue", extra={"accounts": len(accounts)})
            if self.queue is None or time.monotonic() < self.skip_until:
                return accounts
        else:
            accounts = []
        lost = handover.claim_unpublished(AT_ONCE)
        if lost:
            self._relay(lost)
        return accounts

    def unreachable(self) -> bool:
        """Whether SQS has been away for 10 s, or isn't there at all."""
        if self.queue is None:
            return True
        return self.failing_since is not None and time.monotonic() - self.failing_since >= UNREACHABLE_AFTER

    def note(self, reachable: bool) -> None:
        """The queue answered, or didn't: whoever talked to it says so."""
        if reachable:
            self.failing_since = None
        elif self.failing_since is None:
            self.failing_since = time.monotonic()

    def bury_once(self) -> None:
        """Write dead letters of messages that failed since."""
        if self.dead_letters is None or time.monotonic() < self.skip_burials_until:
            return
        dead = handover.claim_dead(AT_ONCE)
        if not dead:
            return
        letters = [tickets.write(parcel, parcel.error or "failed") for parcel in handover.parcels(dead)]
        try:
            taken = self.dead_letters.send(letters)
        except QueueUnavailable as error:
            self.skip_burials_until = time.monotonic() + SKIP_AFTER_FAILURE
            handover.unclaim_dead(dead)
            log.warning("dead_letters_unreachable", extra={"reason": str(error)[:200]})
            return
        handover.mark_dead([message_id for message_id in dead if str(message_id) in taken])
        handover.unclaim_dead([message_id for message_id in dead if str(message_id) not in taken])

    def _relay(self, lost: list[int]) -> None:
        try:
            taken = self._publish(lost)
        except QueueUnavailable as error:
            self.skip_until = time.monotonic() + SKIP_AFTER_FAILURE / 5
            self.note(reachable=False)
            handover.mark_unpublished(lost)
            log.warning("relay_failed", extra={"reason": str(error)[:200]})
            return
        self.note(reachable=True)
        handover.mark_unpublished([message_id for message_id in lost if message_id not in taken])

    def _publish(self, message_ids: Sequence[int]) -> dict[int, str]:
        if self.queue is None:
            raise QueueUnavailable("no queue is configured")
        with transaction():
            # Committed: no connection is held while SQS is asked.
            written = [tickets.write(parcel) for parcel in handover.parcels(message_ids)]
        taken = {int(ticket): sqs_id for ticket, sqs_id in self.queue.send(written).items()}
        handover.mark_published(taken)
        return taken
