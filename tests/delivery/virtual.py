"""A bucket on a real Redis whose time the test moves: the script adds its own `offset` to Redis' clock."""

import redis

from app.delivery.token_bucket import PREFIX, TokenBucket
from config import RateLimit

CLOCK = f"{PREFIX}:clock"
LIMIT = RateLimit(messages=3, window=10.0, min_gap=1.0)
TIMEOUT = 4.0


class VirtualRedis:
    """One Redis and the time in it. Every bucket that it hands out is a worker's that has just started."""

    def __init__(self, url: str, limit: RateLimit = LIMIT) -> None:
        self.client: redis.Redis = redis.Redis.from_url(url, decode_responses=True)
        self.client.flushall()
        self.limit = limit
        self.offset = 0

    def bucket(self) -> TokenBucket:
        """A worker's bucket."""
        return TokenBucket(self.client, self.limit, TIMEOUT)

    def now(self) -> int:
        """The script's time in ms."""
        return self.bucket().peek(0).now_ms

    def pass_time(self, ms: int) -> None:
        """Let time pass."""
        self.offset += ms
        self.client.hset(CLOCK, "offset", self.offset)

    def flush(self) -> None:
        """Redis loses everything but its clock."""
        self.client.flushall()
        self.client.hset(CLOCK, "offset", self.offset)

    def introduce(self) -> None:
        """Have Redis known, as on a fresh installation."""
        taken = self.bucket().take(1)
        if taken.lost:
            self.bucket().found(taken.run, fresh=True)

    def admit(self, *accounts: int) -> None:
        """Have these accounts known, with work, and nothing to wait for."""
        self.introduce()
        self.bucket().ready(accounts)
        taken = self.bucket().take(1)
        self.bucket().admit(taken.run, dict.fromkeys(accounts, 0.0))


class StillRedis(VirtualRedis):
    """Its time moves only when the test moves it, however busy the machine is: the same story has the same end twice.

    The script's clock never goes back, so a `last` that is far ahead of the real time is what it says next.
    """

    moment = 4_000_000_000_000

    def bucket(self) -> TokenBucket:
        """A worker's bucket, for one call: afterwards its clock runs."""
        self.client.hset(CLOCK, mapping={"last": self.moment, "offset": 0})
        return super().bucket()

    def pass_time(self, ms: int) -> None:
        """Let time pass."""
        self.moment += ms

    def flush(self) -> None:
        """Redis loses everything but its clock."""
        self.client.flushall()
