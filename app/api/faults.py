"""From pydantic's errors to the faults that people read: every one, each with the field's own name."""

from collections.abc import Iterable
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.api.schemas.base import EMAIL, HANDLE, KEY, LINE, label
from app.errors import Problem
from app.messages.rules import RecipientId

MOST = 100
NAME_LENGTH = 100
PATTERNS = {
    get_args(RecipientId)[1].pattern: "must be 1 to 64 letters, digits, _ or -",
    LINE: "must be one line of text",
    KEY: "must be 8 to 200 printable characters",
    HANDLE: "must be 1 to 100 letters, digits, dots, _ or -",
    EMAIL: "must be an e-mail address",
}
WORDS = {
    "missing": "is required",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "is_instance_of": "must be sent as a file",
    "datetime_type": "must be a time such as 2026-11-01T12:00:00Z",
    "datetime_parsing": "must be a time such as 2026-11-01T12:00:00Z",
    "datetime_from_date_parsing": "must be a time such as 2026-11-01T12:00:00Z",
    "timezone_aware": "must name its time zone, as in 2026-11-01T12:00:00Z",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must be at least {min_length} characters",
    "string_too_long": "must be at most {max_length} characters",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length}",
}
ABSENT = {"missing", "string_type", "string_pattern_mismatch", "string_too_short"}
WHOLE = {
    "json_invalid": "The body is not valid JSON",
    "model_type": "The body must be a JSON object",
}


def problems(error: ValidationError) -> list[Problem]:
    """All faults of an input, at most 100."""
    found = error.errors(include_url=False)[:MOST]
    return [Problem(field=_field(one["loc"]), message=_message(one)) for one in found]


def _field(location: Iterable[int | str]) -> str:
    """`("mediaUrls", 3)` → `mediaUrls[3]`; nothing → `body`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part[:NAME_LENGTH]}" for part in location]
    return "".join(parts).lstrip(".") or "body"


def _message(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if not error["loc"]:
        return WHOLE.get(kind, error["msg"])
    name = label(next((part for part in reversed(error["loc"]) if isinstance(part, str)), "item"))
    if "text" in context:
        return _named(name, str(context["text"]))
    if kind == "extra_forbidden":
        return f"There is no field {str(error['loc'][-1])[:NAME_LENGTH]!r} here"
    if kind in ABSENT and error["input"] in (None, ""):
        return f"{name} is required"
    if kind == "string_pattern_mismatch":
        return f"{name} {PATTERNS.get(context['pattern'], 'has the wrong form')}"
    return _named(name, WORDS[kind].format(**context) if kind in WORDS else error["msg"])


def _named(name: str, message: str) -> str:
    """A message of our own rules may be a whole sentence; else it begins with the field's name."""
    return message if message[:1].isupper() else f"{name} {message}"
