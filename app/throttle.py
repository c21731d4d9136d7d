"""How often one caller may come: counted in Redis for all processes, and in memory while Redis is away."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, after_this_request, current_app, g, request
from limits import RateLimitItem, WindowStats, parse
from limits.storage import MemoryStorage, RedisStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

log = logging.getLogger(__name__)
PREFIX = "huntaze"
AWAY_SECONDS = 5.0
COUNT = """
-- KEYS[1]: a counter; ARGV[1]: its window in ms. Gives the count with this one, and the ms that are left.
local count, left = redis.call('INCR', KEYS[1]), redis.call('PTTL', KEYS[1])
if left < 0 then
    left = tonumber(ARGV[1])
    redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}
"""
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class LimitExceeded(TooManyRequests):
    """The caller has used up a limit; `current()` says which, and when it is over."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How a limit stands for the caller of this request; `window.reset_time` is an epoch."""

    limit: RateLimitItem
    window: WindowStats

    @property
    def remaining(self) -> int:
        """How many more times the caller may come in this window."""
        return self.window.remaining


Place = tuple[str, str, str]
Verdict = tuple[bool, Stand]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit for those whom `key` tells apart, at the endpoint or, shared by several, at `scope`.

    `text` is like `10 per minute`, or a function that says so. `unless` lifts it for a request; with `only_when` a
    request counts when its response says so, and is refused once the limit is used up.
    """

    text: str | Callable[[], str]
    key: Callable[[], str]
    scope: str | None = None
    methods: Collection[str] = ()
    unless: Callable[[], bool] = lambda: False
    only_when: Callable[[Response], bool] | None = None

    def __call__(self, function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
        """Count before `function` is called inside a request; raises LimitExceeded."""

        @wraps(function)
        def limited(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            if (not self.methods or request.method in self.methods) and not self.unless():
                self._count()
            return function(*args, **kwargs)

        return limited

    def _count(self) -> None:
        item = _parse(self.text() if callable(self.text) else self.text)
        place = (PREFIX, self.scope or request.endpoint or "", self.key())
        counters: Counters = current_app.extensions["throttle"]
        within, stand = counters.look(item, place) if self.only_when else counters.hit(item, place)
        nearest = current()
        if nearest is None or not within or stand.remaining < nearest.remaining:
            g.limit_stand = stand
        if not within:
            raise LimitExceeded
        if self.only_when is not None:
            after_this_request(lambda response: self._count_afterwards(response, counters, item, place))

    def _count_afterwards(
        self, response: Response, counters: "Counters", item: RateLimitItem, place: Place
    ) -> Response:
        if self.only_when is not None and self.only_when(response):
            counters.hit(item, place)
        return response


class Window(FixedWindowRateLimiter):
    """Counts, and says how the window stands, at once."""

    def count(self, item: RateLimitItem, place: Place) -> Verdict:
        """Whether one more is within the limit, and how it stands then."""
        return self.hit(item, *place), Stand(item, self.get_window_stats(item, *place))


class RedisWindow(Window):
    """The same by one call to Redis, because every request makes it."""

    def __init__(self, storage: RedisStorage) -> None:
        super().__init__(storage)
        self.script = storage.storage.register_script(COUNT)

    def count(self, item: RateLimitItem, place: Place) -> Verdict:
        """Whether one more is within the limit, and how it stands then."""
        key = f"{RedisStorage.PREFIX}:{item.key_for(*place)}"
        count, left = self.script(keys=[key], args=[item.get_expiry() * 1000])
        window = WindowStats(time.time() + left / 1000, max(0, item.amount - count))
        return count <= item.amount, Stand(item, window)


class Counters:
    """An application's counters. While the shared ones are away, those of this process stand in."""

    def __init__(self, shared: Storage) -> None:
        self.shared = RedisWindow(shared) if isinstance(shared, RedisStorage) else Window(shared)
        self.own = Window(MemoryStorage())
        self.away_until = 0.0

    def hit(self, item: RateLimitItem, place: Place) -> Verdict:
        """Count one more: whether it is within the limit, and how that stands now."""
        return self._ask(lambda window: window.count(item, place))

    def look(self, item: RateLimitItem, place: Place) -> Verdict:
        """The same without counting."""
        return self._ask(lambda w: (w.test(item, *place), Stand(item, w.get_window_stats(item, *place))))

    def _ask(self, question: Callable[[Window], Answer]) -> Answer:
        """The shared counters' answer, else our own's."""
        if time.monotonic() >= self.away_until:
            try:
                return question(self.shared)
            except Exception:
                self.away_until = time.monotonic() + AWAY_SECONDS
                log.warning("limits_counted_in_memory", exc_info=True)
        return question(self.own)


_parse = cache(parse)


def init_app(app: Flask, redis_url: str | None, **options: object) -> None:
    """Count in the Redis at `redis_url` (in memory for None); `options` are its client's."""
    uri = redis_url or "memory://"
    uri = f"redis+{uri}" if uri.startswith("unix:") else uri
    app.extensions["throttle"] = Counters(storage_from_string(uri, **options if redis_url else {}))  # type: ignore[arg-type]


def current() -> Stand | None:
    """The limit of this request that is used up, else the one nearest to it; None when none counted."""
    stand: Stand | None = g.get("limit_stand")
    return stand


def address() -> str:
    """The caller's address, for a limit's `key`."""
    return request.remote_addr or "nowhere"
