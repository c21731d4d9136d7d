"""What is overdue: messages that the limit would have let go by now, had nothing else been in their way.

A message is overdue from the moment when it was due, next in its account's line, and the account could have had a slot.
Stops, pauses, and logins that the platform refused are somebody's will, or somebody's to mend: they don't count.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from app.delivery.token_bucket import TokenBucket
from app.messages import backlog

log = logging.getLogger(__name__)
# A message takes a round of the dispatcher, and a ticket's way, to be on its way.
LATE_AFTER = 1.0
ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many messages, and for how many seconds the oldest of them."""

    messages: int
    oldest: float


def find(bucket: TokenBucket) -> Overdue:
    """What is overdue now; also without Redis, when a slot counts as free a window after the account's last call."""
    ready_for = backlog.ready_for()
    could_go = _could_go(bucket, sorted(ready_for))
    late = {account: min(wait, could_go.get(account, wait)) for account, wait in ready_for.items()}
    late = {account: seconds for account, seconds in late.items() if seconds > LATE_AFTER}
    waiting = backlog.in_line(sorted(late))
    # While the first one waits, the limit would have let others go behind it.
    pace = bucket.limit.messages / bucket.limit.window
    messages = sum(min(waiting.get(account, 1), 1 + int(seconds * pace)) for account, seconds in late.items())
    return Overdue(messages, max(late.values(), default=0.0))


def _could_go(bucket: TokenBucket, account_ids: Sequence[int]) -> dict[int, float]:
    """Account id → for how many seconds it could have had a slot; those that never called are left out."""
    found: dict[int, float] = {}
    try:
        for start in range(0, len(account_ids), ASKED_AT_ONCE):
            found |= bucket.idle(account_ids[start : start + ASKED_AT_ONCE])
    except redis.RedisError as error:
        log.warning("redis_away", extra={"reason": type(error).__name__})
        ages, _ = backlog.newest_attempts(account_ids)
        return {account: age - bucket.limit.window - bucket.call_limit for account, age in ages.items()}
    return found
