"""What kind of request this is: a page, a fragment that htmx asked for, or a poll that nobody asked for."""

from urllib.parse import urlsplit

from flask import request
from htmx_flask.requests import HtmxHeaders

POLL_HEADER = "X-Poll"


def is_poll() -> bool:
    """Whether the page asked by itself; such a request renews no session."""
    return POLL_HEADER in request.headers


def wants_fragment() -> bool:
    """Whether htmx asked for a part of the page that it shows."""
    headers: HtmxHeaders = request.htmx  # type: ignore[attr-defined]
    return bool(headers) and not headers.boosted and not headers.history_restore_request


def target() -> str | None:
    """The id of the element that the fragment will be put into."""
    headers: HtmxHeaders = request.htmx  # type: ignore[attr-defined]
    found: str | None = headers.target
    return found


def shown_path() -> str:
    """The path of the page that htmx asks from, or an empty text."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", "")).path
    except ValueError:
        return ""
