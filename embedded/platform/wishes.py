"""Reads what the control is asked for: JSON objects with known fields of known types."""

from collections.abc import Mapping

Types = tuple[type, ...]
NUMBER: Types = (int, float)


def read(wish: Mapping[str, object], required: Mapping[str, Types], optional: Mapping[str, Types]) -> dict[str, object]:
    """Return the fields given; raise ValueError with one clear line when one is missing, unknown or of a wrong type."""
    known = {**required, **optional}
    missing, unknown = required.keys() - wish.keys(), wish.keys() - known.keys()
    if missing or unknown:
        problem = "missing" if missing else "unknown"
        raise ValueError(f"{', '.join(sorted(missing or unknown))}: {problem}; there are {', '.join(known)}")
    for name, value in wish.items():
        if isinstance(value, bool) and bool not in known[name] or not isinstance(value, known[name]):
            raise ValueError(f"{name}: {' or '.join(kind.__name__ for kind in known[name])}")
    return dict(wish)
