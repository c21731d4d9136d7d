"""How often one caller may come: per user and endpoint, or per address where nobody signs in."""

import hashlib
import math
import time

from flask import Response, current_app, g, request

from app import throttle
from app.throttle import Limit, Stand

A_MINUTE = 60
BAD_SIGN_INS = "10 per 5 minutes"
BAD_CODES = "50 per day"


def caller() -> str:
    """Whom a limit counts: the user, else the address."""
    return f"user:{g.caller}" if "caller" in g else f"address:{request.remote_addr}"


def lifted() -> bool:
    """Whether limits per user are off (load tests); those per address stay."""
    return "caller" in g and not current_app.extensions["settings"].api_rate_limits


def seconds_to_wait() -> int:
    """How long until the used-up limit of this request lets somebody in again, at least 1."""
    stand = throttle.current()
    return max(1, _seconds_left(stand)) if stand else A_MINUTE


def describe(response: Response) -> Response:
    """Write `RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) of the limit that counted this request."""
    stand = throttle.current()
    if stand is not None:
        response.headers["RateLimit-Limit"] = str(stand.limit.amount)
        response.headers["RateLimit-Remaining"] = str(stand.remaining)
        response.headers["RateLimit-Reset"] = str(_seconds_left(stand))
    return response


def _seconds_left(stand: Stand) -> int:
    return max(0, math.ceil(stand.window.reset_time - time.time()))


def _email() -> str:
    return hashlib.sha256(g.signing_in.encode()).hexdigest()


def _was_refused(response: Response) -> bool:
    return response.status_code == 401


# The sign-in page counts under the same names: nobody gets twice the tries by trying both doors.
per_address = Limit(text=BAD_SIGN_INS, scope="address", key=throttle.address, only_when=_was_refused)
"""Bad passwords from one address, whoever they were for."""

per_email = Limit(text=BAD_SIGN_INS, scope="email", key=_email, only_when=_was_refused)
"""Bad passwords for one e-mail address (`g.signing_in`, lower case), wherever they came from."""

codes = Limit(text=BAD_CODES, scope="code", key=_email, only_when=_was_refused)
"""Bad codes of one user's second factor: a guess in a million must stay one."""
