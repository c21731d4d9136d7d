"""The token bucket: who may call the platform now. One Lua script on Redis' own clock, shared by every worker.

`limit` slots an account; one that is taken comes back a window after its call has *ended*, so that no window of that
length, seen from the platform, can hold more than `limit` calls. Starts are `min_gap` apart. At most three calls of an
account are in the air, one after a time-out. The breaker is asked in the same breath (circuit_breaker.py).

Redis may lose everything: accounts that this Redis doesn't know come back as strangers, and are admitted with a wait
that the database's attempts give. A slot whose call must not start any more (`START_WITHIN`) is handed back.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import redis

from app.delivery.circuit_breaker import LUA as BREAKER_LUA
from app.delivery.circuit_breaker import Breaker
from config import RateLimit

PREFIX = "{huntaze}"
SCRIPT = Path(__file__).with_suffix(".lua").read_text().replace("-- BREAKER --", BREAKER_LUA)
START_WITHIN = 4.0
START_GRACE = 5.0
GAP_ALLOWANCE = 0.05
LOOK_AT_LEAST = 100


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to make one call that sends. `start_ms`: Redis' time; `taken_at`: this process' monotonic seconds.

    `idle`: for how many seconds the account could have had it; what a message waited longer, the limit explains.
    """

    account_id: int
    name: str
    seq: str
    start_ms: int
    probe: bool
    taken_at: float
    idle: float

    def may_still_start(self) -> bool:
        """Whether a call that starts now ends before the slot counts as ended."""
        return time.monotonic() - self.taken_at < START_WITHIN


@dataclass(frozen=True, slots=True)
class Flight:
    """The right to make one call that needs no slot; it counts among the account's calls in the air."""

    account_id: int
    name: str
    probe: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What a take gave: slots, accounts that this Redis doesn't know, seconds until the next look (None: no work).

    `lost`: this Redis has never been seen; `jumped`: its clock went ahead, nothing goes for a minute.
    """

    slots: list[Slot]
    strangers: list[int]
    wait: float | None
    run: str
    lost: bool
    jumped: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A flight that ended. `verdict`: `clear` (the platform answered), `unclear`, `silent` (says nothing of it)."""

    account_id: int
    name: str
    start_ms: int
    message_id: int
    verdict: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """An account that has nothing to send now: look again after `delay` seconds, or only when there's new work."""

    account_id: int
    seq: str
    delay: float | None
    blocked: bool


@dataclass(frozen=True, slots=True)
class View:
    """A bucket as it stands, times in Redis' ms: `back_ms` when each used slot comes back, ascending."""

    now_ms: int
    start_ms: int
    hold_ms: int
    back_ms: list[int]
    breaker: Breaker
    platform_breaker: Breaker


class TokenBucket:
    """The script with this deployment's limits. Every method is one Redis call and raises redis.RedisError."""

    def __init__(self, client: redis.Redis, limit: RateLimit, call_timeout: float) -> None:
        self.client = client
        self.limit = limit
        self.call_limit = call_timeout + START_GRACE
        # Calls are spaced when they start here; the allowance keeps the gap at the platform's door under usual jitter.
        gap = (
            min(limit.min_gap + GAP_ALLOWANCE, max(limit.window / limit.messages, limit.min_gap))
            if limit.min_gap
            else 0
        )
        self.common = (limit.messages, _ms(limit.window), _ms(gap), _ms(self.call_limit))
        self.script = client.register_script(SCRIPT)
        self.names = count()
        self.process = secrets.token_hex(4)
        self.seen: tuple[int, float] | None = None

    def take(self, most: int) -> Taken:
        """Up to `most` slots, one an account, for the accounts that have waited longest."""
        asked_at = time.monotonic()
        look = max(LOOK_AT_LEAST, most * 4)
        answer = self._run("take", self._expected(asked_at), most, look, f"{self.process}:{next(self.names)}")
        now_ms, wait_ms, state, run, grants, strangers = answer
        self.seen = (int(now_ms), time.monotonic())
        return Taken(
            slots=[
                Slot(int(account), name, seq, int(start), probe == 1, asked_at, (start - free) / 1000)
                for account, name, seq, probe, start, free in grants
            ],
            strangers=[int(account) for account in strangers],
            wait=None if wait_ms < 0 else wait_ms / 1000,
            run=run,
            lost=state == "lost",
            jumped=state == "jumped",
        )

    def finish(self, ended: Sequence[Ended]) -> None:
        """These calls have ended: their slots come back one window from now."""
        parts: list[Any] = []
        for end in ended:
            parts += [end.account_id, end.name, end.start_ms, end.message_id, end.verdict, int(end.timed_out)]
        if parts:
            self._run("finish", *parts)

    def give_back(self, slots: Sequence[Slot]) -> None:
        """These slots weren't used: they count as never taken."""
        parts: list[Any] = []
        for slot in slots:
            parts += [slot.account_id, slot.name, slot.start_ms, int(slot.probe), "unused", 0]
        if parts:
            self._run("finish", *parts)

    def ready(self, account_ids: Sequence[int]) -> None:
        """There is work for these accounts."""
        if account_ids:
            self._run("ready", *account_ids)

    def rest(self, rests: Sequence[Rest]) -> None:
        """These accounts have nothing to send now."""
        parts: list[Any] = []
        for rest in rests:
            delay = -1 if rest.delay is None else _ms(rest.delay)
            parts += [rest.account_id, rest.seq, delay, int(rest.blocked)]
        if parts:
            self._run("rest", *parts)

    def found(self, run: str, fresh: bool) -> None:
        """This Redis is new to us; `fresh`: nothing was ever sent, so that nothing has to be waited for."""
        self._run("found", run, int(fresh))

    def admit(self, run: str, waits: dict[int, float]) -> None:
        """These accounts (id → seconds to wait) are known from the database now."""
        parts: list[Any] = []
        for account_id, wait in waits.items():
            parts += [account_id, _ms(max(0.0, wait))]
        if parts:
            self._run("admit", run, *parts)

    def board(self, account_id: int, seconds: float) -> Flight | None:
        """A flight for a call that needs no slot (look-up, upload); None when it may not go now."""
        name = f"{self.process}:{next(self.names)}:chore"
        allowed, probe = self._run("board", account_id, name, _ms(seconds))
        return Flight(account_id, name, probe == 1) if allowed else None

    def idle(self, account_ids: Sequence[int]) -> dict[int, float]:
        """Account id → for how many seconds it could have had a slot by its limit; negative: in how many it can."""
        answers = self._run("free", *account_ids) if account_ids else []
        return {account_id: ms / 1000 for account_id, ms in zip(account_ids, answers, strict=True)}

    def peek(self, account_id: int) -> View:
        """How an account's bucket stands, changing nothing of it."""
        return _view(self._run("peek", account_id))

    def peek_all(self, account_ids: Sequence[int]) -> dict[int, View]:
        """The same for many accounts, in one go."""
        if not account_ids:
            return {}
        with self.client.pipeline(transaction=False) as pipeline:
            for account_id in account_ids:
                self.script(keys=[PREFIX], args=["peek", *self.common, account_id], client=pipeline)
            return {
                account_id: _view(answer) for account_id, answer in zip(account_ids, pipeline.execute(), strict=True)
            }

    def _run(self, operation: str, *arguments: Any) -> Any:
        return self.script(keys=[PREFIX], args=[operation, *self.common, *arguments])

    def _expected(self, at: float) -> int:
        """What Redis' clock should say now, judged by this process' steady one; 0 when nothing is known."""
        if self.seen is None:
            return 0
        redis_ms, seen_at = self.seen
        return redis_ms + _ms(at - seen_at)


def _view(answer: Any) -> View:
    now_ms, start, hold, breaker, platform, times = answer
    return View(
        now_ms=now_ms,
        start_ms=int(start),
        hold_ms=int(hold),
        back_ms=sorted(int(float(moment)) for moment in times),
        breaker=Breaker.read(breaker, now_ms),
        platform_breaker=Breaker.read(platform, now_ms),
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
