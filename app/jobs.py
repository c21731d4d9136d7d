"""Jobs that run outside of requests, on RQ: JSON instead of pickle, and a connection of RQ's own.

Three kinds of queue, so that nothing short waits behind what is long: `background` (imports, synchronisation),
`inbound` (webhooks, roll-ups), and one `delivery:<worker>` for each delivery worker, in which one slice always waits
behind the one that runs.
"""

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.extensions import REDIS_URL_UNSET

BACKGROUND = "background"
INBOUND = "inbound"
DELIVERY = "delivery"
SLICE_SECONDS = 25
SLICE_VERB = "app.delivery.slices.deliver"
JOB_SECONDS = 3600
FAILURES_KEPT = 86_400
LIFE = {"job_timeout": JOB_SECONDS, "result_ttl": 0, "failure_ttl": FAILURES_KEPT}
ASKED_FOR = "huntaze:asked-for"


def connect(url: str | None) -> redis.Redis:
    """RQ's own connection: bytes, and no time-out below its blocking reads."""
    return redis.Redis.from_url(url or REDIS_URL_UNSET, socket_connect_timeout=2.0)


def queue(name: str, connection: redis.Redis) -> Queue:
    """The queue called `name`."""
    return Queue(name, connection=connection, serializer=JSONSerializer)


def delivery_queue(worker: str) -> str:
    """The name of a delivery worker's own queue."""
    return f"{DELIVERY}:{worker}"


def enqueue(connection: redis.Redis, verb: str, *args: int | str) -> None:
    """Run `verb` (a dotted name) in the background; raises redis.RedisError. Call it after the commit."""
    queue(BACKGROUND, connection).enqueue(verb, *args, **LIFE)


def enqueue_seldom(connection: redis.Redis, verb: str, pause: int) -> bool:
    """Run `verb` soon, unless that was asked for in the last `pause` seconds. Raises RedisError.

    For short verbs that catch up with everything, whoever asks: behind another job they don't pile up.
    """
    if not connection.set(f"{ASKED_FOR}:{verb}", 1, nx=True, ex=pause):
        return False
    queue(INBOUND, connection).enqueue(verb, **LIFE)
    return True


def begun(connection: redis.Redis, verb: str) -> None:
    """A job of `enqueue_seldom` begins: who asks from now on is given another one. Raises RedisError."""
    connection.delete(f"{ASKED_FOR}:{verb}")


def keep_a_slice_waiting(connection: redis.Redis, worker: str) -> bool:
    """See to it that the worker's queue holds its next slice; whether one had to be put there. Raises RedisError."""
    own = queue(delivery_queue(worker), connection)
    if own.count:
        return False
    own.enqueue(SLICE_VERB, SLICE_SECONDS, job_timeout=SLICE_SECONDS + 30, result_ttl=0, failure_ttl=60)
    return True
