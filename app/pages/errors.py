"""Everything that goes wrong, as a friendly page, or as a notice when htmx asked; the JSON door answers its own."""

import logging

from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app import errors
from app.extensions import login_manager
from app.pages import limits
from app.pages.htmx import wants_fragment
from app.statuses import DATABASE_AWAY, status_of

log = logging.getLogger(__name__)
WORDS = {
    400: ("That didn't work", "The request could not be understood. Go back and try again."),
    403: ("Not for your role", "You may not open this page."),
    404: ("Nothing here", "This page doesn't exist, or it isn't yours to see."),
    405: ("That didn't work", "This address can't be used in this way."),
    413: ("Too large", "What you sent is larger than we can take."),
    429: ("Slow down a little", "There were too many attempts. Wait a few minutes, then try again."),
    500: ("Something went wrong", "It is our fault, not yours, and it has been written down."),
    503: ("Back in a moment", "A part that is needed for this can't be reached. Try again in a moment."),
}
OUT_OF_DATE = "This page is out of date: load it again, then repeat what you did. What you wrote is kept."


def init_app(app: Flask) -> None:
    """Answer every error of the app; paths under /api/ are left to what that door has put into `json_error`."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(errors.HuntazeError, _answer)
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> ResponseReturnValue:
    json_error = current_app.extensions.get("json_error")
    if request.path.startswith("/api/") and json_error is not None:
        answer: ResponseReturnValue = json_error(error)
        return answer
    if isinstance(error, CSRFError):
        return _forged_or_stale()
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, errors.HuntazeError):
        return _expected(error)
    log.error("unforeseen_error", exc_info=error)
    return page(503 if isinstance(error, DATABASE_AWAY) else 500)


def page(status: int, text: str | None = None) -> Response:
    """The page, or for htmx the notice, that says what went wrong."""
    title, usual = WORDS.get(status, WORDS[400 if status < 500 else 500])
    template = "errors/_notice.html" if wants_fragment() else "errors/page.html"
    html = render_template(template, status=status, title=title, text=text or usual, request_id=g.get("request_id"))
    return make_response(html, status)


def _expected(error: errors.HuntazeError) -> Response:
    response = page(status_of(error), error.message)
    if isinstance(error, errors.TooSoon):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _forged_or_stale() -> ResponseReturnValue:
    if request.endpoint != "session.sign_in" and not current_user.is_authenticated:
        answer: ResponseReturnValue = login_manager.unauthorized()
        return answer
    return page(400, OUT_OF_DATE)


def _from_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    response = page(error.code)
    if error.code == 429:
        response.headers["Retry-After"] = str(limits.seconds_to_wait())
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response
