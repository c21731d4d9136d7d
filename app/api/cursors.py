"""Cursors of paged lists: signed, so that nobody can make one up, and good for one list only."""

from datetime import datetime

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from app.errors import Invalid, Problem

Cursor = tuple[datetime, int]


def write(purpose: str, cursor: Cursor | None) -> str | None:
    """The text that stands for `cursor` in the list `purpose`."""
    if cursor is None:
        return None
    text: str = _serializer(purpose).dumps([cursor[0].isoformat(), cursor[1]])
    return text


def read(purpose: str, text: str | None) -> Cursor | None:
    """What `write` gave out for the same list; raises Invalid for anything else."""
    if text is None:
        return None
    try:
        moment, number = _serializer(purpose).loads(text)
    except BadData:
        raise Invalid([Problem("before", "Before must be a nextCursor of this list")]) from None
    return datetime.fromisoformat(moment), int(number)


def _serializer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"cursor:{purpose}")
