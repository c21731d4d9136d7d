"""How the deployment is: for people, for load balancers, for whoever starts it."""

from typing import Literal

from flask import Blueprint

from app.api import errors
from app.api.contract import contract
from app.api.messages import desk
from app.api.schemas.monitoring import (
    Alive,
    CircuitBreaker,
    Components,
    Database,
    Monitoring,
    RateLimiter,
    Ready,
    Redis,
    Sqs,
    Worker,
)
from app.clock import now
from app.monitoring import health
from app.monitoring.health import Health, Status

blueprint = Blueprint("api_monitoring", __name__)
# Two of these paths aren't under /api/, and are no pages either.
blueprint.register_error_handler(Exception, errors.answer)
Word = Literal["healthy", "degraded", "unhealthy"]


@blueprint.get("/api/monitoring/onlyfans")
@contract("Health of every part", answers={200: Monitoring, 503: Monitoring})
def monitoring() -> tuple[Monitoring, int]:
    """Database, queue, Redis, workers, limiter and breaker; 503 when nothing can be sent."""
    found = health.check(desk())
    answer = Monitoring(status=found.status.value, timestamp=now(), components=_components(found))
    return answer, 503 if found.status is Status.UNHEALTHY else 200


@blueprint.get("/healthz")
@contract("Is this process alive?", answers={200: Alive}, limit="6000 per minute", bearer=False)
def alive() -> Alive:
    """Asks nobody else."""
    return Alive()


@blueprint.get("/readyz")
@contract("Can this process work?", answers={200: Ready}, limit="6000 per minute", bearer=False)
def ready() -> Ready:
    """Whether database and Redis answer; 503 without the database alone, because all else goes on without Redis."""
    health.database_ms()
    return Ready(status="ok" if health.redis_ms(desk()) is not None else "degraded")


def _components(found: Health) -> Components:
    depths = found.depths
    return Components(
        database=Database(status="healthy", latency_ms=found.database_ms),
        sqs=Sqs(
            status=_word(depths is not None, "degraded"),
            queue_depth=depths.visible if depths else None,
            messages_in_flight=depths.in_flight if depths else None,
            dlq_count=depths.dead if depths else None,
        ),
        redis=Redis(status=_word(found.redis_ms is not None), latency_ms=found.redis_ms),
        worker=Worker(status=_word(found.workers > 0), count=found.workers, last_heartbeat=found.last_heartbeat),
        rate_limiter=RateLimiter(status=_word(found.enabled, "degraded"), enabled=found.enabled),
        circuit_breaker=CircuitBreaker(state=found.breaker.state.value if found.breaker else None),
    )


def _word(good: bool, otherwise: Word = "unhealthy") -> Word:
    return "healthy" if good else otherwise
