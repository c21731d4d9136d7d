"""Reads what the control is asked for: JSON objects with known fields of known types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from embedded.platform.state import is_account_id, is_chat_id

LAST_TIME = 2**33


@dataclass(frozen=True, slots=True)
class Sort:
    """What a field may hold: one of these types, of which `fits` says yes; in words."""

    types: tuple[type, ...]
    words: str
    fits: Callable[[object], bool] = lambda _: True


TEXT = Sort((str,), "a text")
FLAG = Sort((bool,), "true or false")
LIST = Sort((list,), "a list")
NUMBER = Sort((int, float), "a number")
WHOLE = Sort((int,), "a whole number")
TIME = Sort((int, float), "seconds since 1970", lambda value: 0 <= float(str(value)) < LAST_TIME)
ACCOUNT = Sort((str,), "an id that begins with acct_", lambda value: is_account_id(str(value)))
CHAT = Sort((str,), "1 to 64 letters, digits, _ or -", lambda value: is_chat_id(str(value)))


def read(wish: Mapping[str, object], required: Mapping[str, Sort], optional: Mapping[str, Sort]) -> dict[str, object]:
    """Return the fields given; raise ValueError with one clear line when one is missing, unknown or wrong."""
    known = {**required, **optional}
    missing, unknown = required.keys() - wish.keys(), wish.keys() - known.keys()
    if missing or unknown:
        problem = "missing" if missing else "unknown"
        raise ValueError(f"{', '.join(sorted(missing or unknown))}: {problem}; there are {', '.join(known)}")
    for name, value in wish.items():
        sort = known[name]
        wrong_type = not isinstance(value, sort.types) or (isinstance(value, bool) and bool not in sort.types)
        if wrong_type or not sort.fits(value):
            raise ValueError(f"{name}: {sort.words}")
    return dict(wish)
