"""Builds delivery from configuration: the desk for the doors, the pipeline for a worker."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import redis

from app.accounts.connection import Keys
from app.delivery.courier import Courier
from app.delivery.desk import Desk
from app.delivery.dispatcher import CHORES_MOST, Dispatcher
from app.delivery.housekeeping import Housekeeping
from app.delivery.intake import Intake
from app.delivery.pipeline import Pipeline
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.extensions import connect_redis
from app.gateways.platform import OnlyFansPlatform, Platform
from app.gateways.sqs import SqsQueue
from config import Settings

DOOR_TIMEOUT = 1.0
WORKER_TIMEOUT = 5.0


def desk(settings: Settings, client: redis.Redis) -> Desk:
    """What the doors use; its calls are short."""
    queue, dead_letters = queues(settings, DOOR_TIMEOUT)
    bucket = TokenBucket(client, settings.rate_limit, settings.platform_timeout)
    return Desk(
        bucket, Relay(queue, dead_letters), (queue, dead_letters), settings.rate_limit, settings.limiter_enabled
    )


def pipeline(
    settings: Settings,
    name: str,
    context: Callable[[], AbstractContextManager[object]],
    platform: Platform | None = None,
) -> Pipeline:
    """What a delivery worker called `name` runs; `context` makes an app context for a thread."""
    queue, dead_letters = queues(settings, WORKER_TIMEOUT)
    bucket = TokenBucket(connect_redis(settings.redis_url, 1.0), settings.rate_limit, settings.platform_timeout)
    relay = Relay(queue, dead_letters)
    keys = Keys(settings.encryption_key, settings.platform_api_key)
    platform = platform or OnlyFansPlatform(
        settings.platform_base_url, settings.platform_timeout, settings.max_in_flight + CHORES_MOST + 1
    )
    return Pipeline(
        context=context,
        dispatcher=Dispatcher(bucket, Courier(platform, keys), settings.max_in_flight),
        housekeeping=Housekeeping(name, relay, bucket, platform, keys),
        intake=Intake(queue, relay, bucket) if queue else None,
        sending=settings.limiter_enabled,
    )


def queues(settings: Settings, timeout: float) -> tuple[SqsQueue | None, SqsQueue | None]:
    """The queue and its dead letters, None where they aren't configured."""
    urls = (settings.sqs_queue_url, settings.sqs_dlq_url)
    queue, dead_letters = (SqsQueue(url, settings.aws_region, timeout) if url else None for url in urls)
    return queue, dead_letters
