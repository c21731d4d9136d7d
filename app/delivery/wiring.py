"""Builds the pipeline of a delivery worker from configuration."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from app.accounts.connection import Keys
from app.delivery.courier import Courier
from app.delivery.dispatcher import Dispatcher
from app.delivery.gauges import Gauges
from app.delivery.housekeeping import Housekeeping
from app.delivery.intake import Intake
from app.delivery.pipeline import Pipeline
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.extensions import connect_redis
from app.gateways import sqs
from app.gateways.listing import Listing
from app.gateways.platform import OnlyFansPlatform, Platform
from app.gateways.webhooks import Address
from app.inbound.sync import Reader
from config import Settings

QUEUE_TIMEOUT = 5.0
REDIS_TIMEOUT = 1.0


def courier(settings: Settings) -> Courier:
    """What a background worker looks chats through with."""
    platform = OnlyFansPlatform(settings.platform_base_url, settings.platform_timeout)
    return Courier(platform, Keys(settings.encryption_key, settings.platform_api_key))


def reader(settings: Settings) -> Reader:
    """What a background worker reads accounts with."""
    platform = OnlyFansPlatform(settings.platform_base_url, settings.platform_timeout)
    address = None
    # In production what nobody signed is refused: then it isn't asked for either.
    if settings.public_url and (settings.webhook_secret or not settings.production):
        address = Address.below(settings.public_url, settings.webhook_secret)
    return Reader(Listing(platform), Keys(settings.encryption_key, settings.platform_api_key), address)


def pipeline(
    settings: Settings,
    name: str,
    context: Callable[[], AbstractContextManager[object]],
    platform: Platform | None = None,
) -> Pipeline:
    """What a delivery worker called `name` runs; `context` makes an app context for a thread."""
    queue, dead_letters = sqs.pair(settings.sqs_queue_url, settings.sqs_dlq_url, settings.aws_region, QUEUE_TIMEOUT)
    bucket = TokenBucket(
        connect_redis(settings.redis_url, REDIS_TIMEOUT), settings.rate_limit, settings.platform_timeout
    )
    relay = Relay(queue, dead_letters)
    keys = Keys(settings.encryption_key, settings.platform_api_key)
    platform = platform or OnlyFansPlatform(settings.platform_base_url, settings.platform_timeout)
    return Pipeline(
        context=context,
        dispatcher=Dispatcher(bucket, Courier(platform, keys), settings.max_in_flight),
        housekeeping=Housekeeping(name, relay, bucket, platform, keys),
        intake=Intake(queue, relay, bucket) if queue else None,
        sending=settings.limiter_enabled,
        gauges=Gauges(name, relay, bucket, settings.limiter_enabled) if settings.cloudwatch_namespace else None,
    )
