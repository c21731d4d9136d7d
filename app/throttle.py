"""How often one caller may come: counted in Redis for all processes, and in memory while Redis is away."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, after_this_request, current_app, g, request
from limits import RateLimitItem, WindowStats, parse
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

log = logging.getLogger(__name__)
PREFIX = "huntaze"
AWAY_SECONDS = 5.0
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
        item = parse(self.text() if callable(self.text) else self.text)
        place = (PREFIX, self.scope or request.endpoint or "", self.key())
        counters: Counters = current_app.extensions["throttle"]
        within = counters.ask(lambda c: c.test(item, *place) if self.only_when else c.hit(item, *place))
        stand = Stand(item, counters.ask(lambda c: c.get_window_stats(item, *place)))
        nearest = current()
        if nearest is None or not within or stand.remaining < nearest.remaining:
            g.limit_stand = stand
        if not within:
            raise LimitExceeded
        if self.only_when is not None:
            after_this_request(lambda response: self._count_afterwards(response, counters, item, place))

    def _count_afterwards(
        self, response: Response, counters: "Counters", item: RateLimitItem, place: tuple[str, str, str]
    ) -> Response:
        if self.only_when is not None and self.only_when(response):
            counters.ask(lambda c: c.hit(item, *place))
        return response


class Counters:
    """An application's counters. While the shared ones are away, those of this process stand in."""

    def __init__(self, shared: Storage) -> None:
        self.shared = FixedWindowRateLimiter(shared)
        self.own = FixedWindowRateLimiter(MemoryStorage())
        self.away_until = 0.0

    def ask(self, question: Callable[[FixedWindowRateLimiter], Answer]) -> Answer:
        """The shared counters' answer, else our own's."""
        if time.monotonic() >= self.away_until:
            try:
                return question(self.shared)
            except Exception:
                self.away_until = time.monotonic() + AWAY_SECONDS
                log.warning("limits_counted_in_memory", exc_info=True)
        return question(self.own)


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
