"""How often somebody may try a password or a code, counted in Redis, and in memory while Redis is away."""

import hashlib
import logging
import math
import time

from flask import Flask, Response, g, request
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import throttle
from app.throttle import Limit
from config import Settings

log = logging.getLogger(__name__)
BAD_SIGN_INS = "10 per 5 minutes"
BAD_CODES = "50 per day"
FIVE_MINUTES = 300
REDIS_PATIENCE = 0.2


def init_app(app: Flask) -> None:
    """Bind the limiter of both doors to Redis: short time-outs, no retries, memory when it is away."""
    settings: Settings = app.extensions["settings"]
    patience = {"socket_timeout": REDIS_PATIENCE, "socket_connect_timeout": REDIS_PATIENCE}
    throttle.init_app(app, settings.redis_url, **patience, retry=Retry(NoBackoff(), 0))


def seconds_to_wait() -> int:
    """How long until the limit that stopped this request lets somebody in again, at least 1."""
    limit = throttle.current()
    try:
        return max(1, math.ceil(limit.window.reset_time - time.time())) if limit else FIVE_MINUTES
    except Exception:
        # Redis went away between counting and asking.
        log.warning("limit_unknown", exc_info=True)
        return FIVE_MINUTES


def _email() -> str:
    email: str = g.get("signing_in") or request.form.get("email", "").strip().lower()
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()


def _was_bad(response: Response) -> bool:
    return response.status_code in (401, 403)


per_address = Limit(text=BAD_SIGN_INS, key=throttle.address, scope="address", methods=["POST"], only_when=_was_bad)
per_email = Limit(text=BAD_SIGN_INS, key=_email, scope="email", methods=["POST"], only_when=_was_bad)
codes = Limit(text=BAD_CODES, key=_email, scope="code", methods=["POST"], only_when=_was_bad)
