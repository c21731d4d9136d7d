"""The simulated platform's knobs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Settings:
    """How strict and how odd the platform is, as long as nothing is broken."""

    min_gap: float = 0.0  # seconds between two messages of an account; 0: no brake
    list_marks_read: bool = True  # reading a chat's messages marks it read
    short_pages: int = 3  # every so many pages of messages, one is short; 0: never
    team_limit: int = 0  # calls a minute for all accounts together; 0: no limit
    doubled_webhooks: float = 0.05  # share of events that are told twice
    late_webhooks: float = 0.05  # share of events that come some seconds late, behind younger ones
    fans_every: float = 0.0  # seconds between two things that fans do by themselves; 0: they only do what they're told

    def change(self, wish: Mapping[str, object]) -> None:
        """Set the knobs named; raise ValueError with one clear line when that makes no sense."""
        kinds = {field.name: type(field.default) for field in fields(self)}
        unknown = wish.keys() - kinds.keys()
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: unknown; there are {', '.join(kinds)}")
        for name, value in wish.items():
            setattr(self, name, _checked(name, value, kinds[name]))


def _checked(name: str, value: object, kind: type) -> object:
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise ValueError(f"{name}: true or false")
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name}: a number from 0 on")
    return kind(value)
