"""How often one caller may come: per user and endpoint, or per address where nobody signs in."""

import hashlib
import logging
import math
import time

from flask import Response, current_app, g, request

from app import throttle
from app.throttle import Limit, Stand

log = logging.getLogger(__name__)
A_MINUTE = 60
BAD_SIGN_INS = "10 per 5 minutes"


def caller() -> str:
    """Whom a limit counts: the user, else the address."""
    viewer = g.get("viewer")
    return f"user:{viewer.id}" if viewer is not None else f"address:{request.remote_addr}"


def lifted() -> bool:
    """Whether limits per user are off (load tests); those per address stay."""
    return "viewer" in g and not current_app.extensions["settings"].api_rate_limits


def seconds_to_wait() -> int:
    """How long until the used-up limit of this request lets somebody in again, at least 1."""
    limit = throttle.current()
    stand = _stand(limit) if limit else None
    return max(1, stand[1]) if stand else A_MINUTE


def describe(response: Response) -> Response:
    """Write `RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) of the limit that counted this request."""
    limit = throttle.current()
    stand = _stand(limit) if limit else None
    if limit and stand:
        remaining, reset = stand
        response.headers["RateLimit-Limit"] = str(limit.limit.amount)
        response.headers["RateLimit-Remaining"] = str(remaining)
        response.headers["RateLimit-Reset"] = str(reset)
    return response


def _stand(limit: Stand) -> tuple[int, int] | None:
    try:
        return limit.remaining, max(0, math.ceil(limit.window.reset_time - time.time()))
    except Exception:
        # Redis went away between counting and asking: the answer goes out without its headers.
        log.warning("limit_unknown", exc_info=True)
        return None


def _email() -> str:
    return hashlib.sha256(g.signing_in.encode()).hexdigest()


def _was_refused(response: Response) -> bool:
    return response.status_code == 401


per_address = Limit(text=BAD_SIGN_INS, scope="bad-sign-ins:address", key=throttle.address, only_when=_was_refused)
"""Bad passwords from one address, whoever they were for."""

per_email = Limit(text=BAD_SIGN_INS, scope="bad-sign-ins:email", key=_email, only_when=_was_refused)
"""Bad passwords for one e-mail address (`g.signing_in`, lower case), wherever they came from."""
