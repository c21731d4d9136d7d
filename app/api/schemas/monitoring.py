"""How the parts of the deployment are."""

from typing import Literal

from pydantic import Field

from app.api.schemas.base import Answer, Moment

State = Literal["healthy", "degraded", "unhealthy"]


class Database(Answer):
    """Keeps everything."""

    status: State
    latency_ms: int


class Sqs(Answer):
    """The queue; without it messages are handed over directly, a little later."""

    status: State
    queue_depth: int | None
    messages_in_flight: int | None
    dlq_count: int | None


class Redis(Answer):
    """Keeps the limits; without it nothing is sent."""

    status: State
    latency_ms: int | None


class Worker(Answer):
    """Who delivers."""

    status: State
    count: int = Field(description="Delivery workers seen in the last 30 s")
    last_heartbeat: Moment | None


class RateLimiter(Answer):
    """Whether anything may be sent."""

    status: State
    enabled: bool = Field(description="The emergency stop is off")


class CircuitBreaker(Answer):
    """Whether the platform answers."""

    state: Literal["closed", "open", "half_open"] | None = Field(description="Null without Redis, which keeps it")


class Components(Answer):
    """Every part."""

    database: Database
    sqs: Sqs
    redis: Redis
    worker: Worker
    rate_limiter: RateLimiter
    circuit_breaker: CircuitBreaker


class Monitoring(Answer):
    """The whole."""

    status: State
    timestamp: Moment
    components: Components


class Alive(Answer):
    """This process answers."""

    status: Literal["ok"] = "ok"


class Ready(Answer):
    """This process can work; `degraded` without Redis: messages are accepted, and wait."""

    status: Literal["ok", "degraded"]
