"""How the platform pages its lists; some pages come short although more follow, as the real ones do."""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from embedded.platform.simulator import Call
from embedded.platform.state import Message

Thing = TypeVar("Thing")

GHOST_EVERY = 20  # a fan whose account was closed: counted by the offset, missing from the page


class BadQuery(ValueError):
    """A query parameter that makes no sense; the parameter's name and what is wrong with it."""

    def __init__(self, name: str, complaint: str) -> None:
        super().__init__(complaint)
        self.errors = {name: [f"The {name} {complaint}"]}


def whole_number(text: str) -> int | None:
    """Return the number that the text is, None when it is none from 0 to 10^18."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def whole(call: Call, name: str, default: int, least: int, most: int) -> int:
    """Return a query parameter that is a whole number; raise BadQuery when it isn't, or out of bounds."""
    number = whole_number(call.query.get(name, str(default)))
    if number is None or not least <= number <= most:
        raise BadQuery(name, f"must be between {least} and {most}.")
    return number


def one_of(call: Call, name: str, choices: Sequence[str]) -> str:
    """Return a query parameter that is one of these, the first by default; raise BadQuery when it isn't."""
    text = call.query.get(name, choices[0])
    if text not in choices:
        raise BadQuery(name, f"must be one of {', '.join(choices)}.")
    return text


def link(call: Call, **changes: object) -> str:
    """Return the URL of the same call with other parameters."""
    query: Mapping[str, object] = {**call.query, **changes}
    return f"{call.url}?{urlencode(query)}"


def by_offset(
    call: Call, things: Sequence[Thing], default: int, most: int, with_ghosts: bool
) -> tuple[list[Thing], str | None]:
    """Return the page that `offset` and `limit` ask for, and the next one's URL or None."""
    limit, offset = whole(call, "limit", default, 1, most), whole(call, "offset", 0, 0, 10**9)
    places = _with_ghosts(things) if with_ghosts else list(things)
    page = [thing for thing in places[offset : offset + limit] if thing is not None]
    return page, link(call, offset=offset + limit) if offset + limit < len(places) else None


def _with_ghosts(things: Sequence[Thing]) -> list[Thing | None]:
    places: list[Thing | None] = []
    for place, thing in enumerate(things, start=1):
        places.append(thing)
        if place % GHOST_EVERY == 0 and place < len(things):
            places.append(None)
    return places


def by_id(call: Call, thread: Sequence[Message], short: bool) -> tuple[list[Message], str | None]:
    """Return the page of messages that order and cursor ask for (`thread`: oldest first), and the next one's URL.

    Downwards `first_id` is the last one seen, upwards `last_id` is the first one wanted.
    """
    limit = whole(call, "limit", 10, 1, 100)
    down = one_of(call, "order", ("desc", "asc")) == "desc"
    cursor = _cursor(call, "first_id" if down else "last_id")
    ordered = list(reversed(thread)) if down else list(thread)
    if cursor is not None:
        ordered = [message for message in ordered if (message.id < cursor if down else message.id >= cursor)]
    size = limit - 1 if short and limit > 1 else limit
    page, rest = ordered[:size], ordered[size:]
    if not rest:
        return page, None
    return page, link(call, first_id=page[-1].id) if down else link(call, last_id=rest[0].id)


def _cursor(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if text is None:
        return None
    number = whole_number(text)
    if number is None:
        raise BadQuery(name, "must be a message id.")
    return number
