"""The health of every part: what answers, how fast, and whether messages can go."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import redis
from sqlalchemy import select

from app.delivery import heartbeat
from app.delivery.circuit_breaker import Breaker, State
from app.delivery.desk import Desk, QueueDepths
from app.extensions import db

NO_ACCOUNT = 0


class Status(StrEnum):
    """`degraded`: it goes on, but not as it should; `unhealthy`: nothing is sent."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Health:
    """What was found; `redis_ms`, `depths` and `breaker` are None when nobody answered. Latencies in ms."""

    database_ms: int
    redis_ms: int | None
    depths: QueueDepths | None
    workers: int
    last_heartbeat: datetime | None
    enabled: bool
    breaker: Breaker | None

    @property
    def answers(self) -> bool:
        """Whether the platform answers, as far as anybody knows."""
        return self.breaker is not None and self.breaker.state is State.CLOSED

    @property
    def breaker_open_for(self) -> float:
        """For how many seconds the platform's breaker has been open."""
        return self.breaker.lasts if self.breaker else 0.0

    @property
    def status(self) -> Status:
        """The whole: unhealthy without a part that sending can't do without."""
        if self.redis_ms is None or self.workers == 0:
            return Status.UNHEALTHY
        as_it_should = self.depths is not None and self.enabled and self.answers
        return Status.HEALTHY if as_it_should else Status.DEGRADED


def check(desk: Desk) -> Health:
    """Ask every part; raises only when the database is away."""
    return Health(
        database_ms=database_ms(),
        redis_ms=redis_ms(desk),
        depths=desk.queue_depths(),
        workers=heartbeat.alive("delivery"),
        last_heartbeat=heartbeat.last("delivery"),
        enabled=desk.enabled(),
        breaker=_breaker(desk),
    )


def database_ms() -> int:
    """How long the database takes to answer; raises what the driver raises when it doesn't."""
    return _timed(lambda: db.session.execute(select(1)))


def redis_ms(desk: Desk) -> int | None:
    """How long Redis takes to answer; None when it doesn't."""
    try:
        return _timed(desk.bucket.client.ping)
    except redis.RedisError:
        return None


def _breaker(desk: Desk) -> Breaker | None:
    try:
        return desk.bucket.peek(NO_ACCOUNT).platform_breaker
    except redis.RedisError:
        return None


def _timed(ask: Callable[[], object]) -> int:
    began = time.perf_counter()
    ask()
    return round((time.perf_counter() - began) * 1000)
