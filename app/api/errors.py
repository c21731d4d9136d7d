"""One shape for everything that goes wrong under /api/: `{success, error, details: [{field, message}]}`."""

import logging
from collections.abc import Mapping

from flask import Response, g
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from app import errors, throttle
from app.api import limits
from app.api.schemas.base import Answer
from app.statuses import DATABASE_AWAY, status_of

log = logging.getLogger(__name__)
WORDS = {
    400: "The request can't be understood",
    404: "Not found",
    405: "This path doesn't know this method",
    413: "The request is too large",
    415: "Send application/json",
}


class Fault(Answer):
    """One fault of the input."""

    field: str
    message: str


class Refusal(Answer):
    """Why a request was refused; `details` lists all faults of its input at once."""

    success: bool = False
    error: str
    details: list[Fault]


def answer(error: Exception) -> Response:
    """The response for `error`; what nobody foresaw is logged and answered with 500 and the id of its log line."""
    if isinstance(error, errors.HuntazeError):
        return _expected(error)
    if isinstance(error, throttle.LimitExceeded):
        wait = limits.seconds_to_wait()
        return refusal(429, f"Too many requests: try again in {wait} s", headers={"Retry-After": str(wait)})
    if isinstance(error, HTTPException) and error.code is not None:
        return _from_http(error, error.code)
    if isinstance(error, DATABASE_AWAY):
        log.error("database_away", exc_info=error)
        return refusal(503, "The database can't be reached")
    if isinstance(error, IntegrityError):
        return refusal(409, "Somebody else did the same at the same moment")
    return _unforeseen(error)


def refusal(
    status: int, words: str, details: list[errors.Problem] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in the one shape."""
    found = Refusal(error=words, details=[Fault.model_validate(problem) for problem in details or []])
    return Response(found.model_dump_json(), status, headers, mimetype="application/json")


def _expected(error: errors.HuntazeError) -> Response:
    status = status_of(error)
    headers: dict[str, str] = {}
    if isinstance(error, errors.NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="Huntaze CRM"'
    if isinstance(error, errors.TooSoon):
        headers["Retry-After"] = str(error.retry_after)
    return refusal(status, error.message, error.problems if isinstance(error, errors.Invalid) else None, headers)


def _from_http(error: HTTPException, code: int) -> Response:
    plain = error.get_response()
    if code < 400:
        return Response(plain.get_data(), code, plain.headers)
    kept = {name: value for name, value in plain.headers.items() if name in ("Allow", "Retry-After")}
    return refusal(code, WORDS.get(code, error.name), headers=kept)


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen_error", exc_info=error)
    return refusal(500, f"Something went wrong on our side; when you report it, name request {g.get('request_id')}")
