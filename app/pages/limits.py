"""How often somebody may try a password, counted in Redis, and in memory while Redis is away."""

import hashlib
import logging
import math
import time

from flask import Flask, Response, request
from flask_limiter.util import get_remote_address
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.extensions import limiter
from config import Settings

log = logging.getLogger(__name__)
BAD_SIGN_INS = "10 per 5 minutes"
FIVE_MINUTES = 300
REDIS_PATIENCE = 0.2


def init_app(app: Flask) -> None:
    """Bind the limiter of both doors to Redis: short time-outs, no retries, memory when it is away."""
    settings: Settings = app.extensions["settings"]
    app.config.update(
        RATELIMIT_STORAGE_URI=_storage_uri(settings.redis_url),
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,
        RATELIMIT_KEY_PREFIX="huntaze",
    )
    if settings.redis_url:
        app.config["RATELIMIT_STORAGE_OPTIONS"] = {
            "socket_timeout": REDIS_PATIENCE,
            "socket_connect_timeout": REDIS_PATIENCE,
            "retry": Retry(NoBackoff(), 0),
        }
    limiter.init_app(app)
    # What the limiter knew of another app's Redis doesn't hold for this one's.
    limiter._storage_dead = False


def seconds_to_wait() -> int:
    """How long until the limit that stopped this request lets somebody in again, at least 1."""
    limit = limiter.current_limit
    try:
        return max(1, math.ceil(limit.window.reset_time - time.time())) if limit else FIVE_MINUTES
    except Exception:
        # Redis went away between counting and asking.
        log.warning("limit_unknown", exc_info=True)
        return FIVE_MINUTES


def _storage_uri(redis_url: str | None) -> str:
    if redis_url is None:
        return "memory://"
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url


def _email() -> str:
    email = request.form.get("email", "").strip().lower()
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()


def _was_bad(response: Response) -> bool:
    return response.status_code == 401


per_address = limiter.limit(
    BAD_SIGN_INS, key_func=get_remote_address, scope="address", methods=["POST"], deduct_when=_was_bad
)
per_email = limiter.limit(BAD_SIGN_INS, key_func=_email, scope="email", methods=["POST"], deduct_when=_was_bad)
