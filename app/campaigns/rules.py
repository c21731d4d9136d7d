"""What a campaign's text may hold and becomes for each fan, and where a campaign stands: nothing here asks anybody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import PydanticCustomError

from app.campaigns.models import Will
from app.messages.rules import TEXT_LENGTH, check_text, refuse

PLACEHOLDER = re.compile(r"\{\{(?P<name>[^{}|]*)(?:\|(?P<fallback>[^{}]*))?\}\}")
BRACES = re.compile(r"\{\{|\}\}")
KNOWN = ("name", "handle", "tier")
NAMED_MOST = 50


class Person(Protocol):
    """What a text may say of a fan."""

    @property
    def platform_id(self) -> str | None:
        """The platform's id."""

    @property
    def name(self) -> str:
        """Stands for the platform's id as long as nobody knows another."""

    @property
    def handle(self) -> str | None:
        """Without `@`."""

    @property
    def tier(self) -> str | None:
        """What they subscribed to."""


def check_template(text: str) -> str:
    """Refuse a text with placeholders that are unknown or not closed; raises PydanticCustomError."""
    names = dict.fromkeys(found["name"].strip() for found in PLACEHOLDER.finditer(text))
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        named = ", ".join(f"{{{{{name[:NAMED_MOST]}}}}}" for name in unknown[:10])
        raise refuse("placeholder", f"Nobody knows {named}: placeholders are {_all_known()}")
    if BRACES.search(PLACEHOLDER.sub("", text)):
        raise refuse("placeholder", "A placeholder is written {{name}}, or {{name|friend}} with what stands in for it")
    return text


def _all_known() -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in KNOWN)


def render(text: str, person: Person) -> str:
    """The text for one fan: what isn't known of them becomes the fallback, or nothing."""
    return PLACEHOLDER.sub(lambda found: _value(person, found["name"].strip(), found["fallback"]), text)


def _value(person: Person, name: str, fallback: str | None) -> str:
    value = getattr(person, name)
    # Of a fan who came by an id alone that id is the name, and nobody wants to be greeted by it.
    nameless = name == "name" and value == person.platform_id
    if fallback is not None and (nameless or not value):
        return fallback.strip()
    return str(value or "")


def unsendable(text: str) -> str | None:
    """Why a rendered text can't be sent, or None."""
    if len(text) > TEXT_LENGTH:
        return f"With what is known of this fan the text is longer than {TEXT_LENGTH} characters"
    try:
        check_text(text)
    except PydanticCustomError:
        return "With what is known of this fan the text can't be sent"
    return None


@dataclass(frozen=True, slots=True)
class Counts:
    """A campaign's messages by status; one that was sent again counts as what became of the new one."""

    scheduled: int = 0
    queued: int = 0
    sending: int = 0
    sent: int = 0
    failed: int = 0
    canceled: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, found: Mapping[str, int]) -> "Counts":
        """From status → how many."""
        return cls(**{name: found.get(name, 0) for name in cls.__slots__})

    @property
    def total(self) -> int:
        """Every recipient."""
        return self.open + self.sent + self.failed + self.canceled + self.unknown

    @property
    def open(self) -> int:
        """Those whose message may still go."""
        return self.scheduled + self.queued + self.sending


def stage(will: str, planned: bool, counts: Counts) -> str:
    """Where a campaign stands, in one word."""
    if will == Will.CANCELED or (planned and not counts.open):
        return "canceled" if will == Will.CANCELED else "completed"
    if will != Will.ACTIVE:
        return will
    if not planned:
        return "planning"
    if counts.scheduled and counts.scheduled == counts.total:
        return "scheduled"
    return "sending" if counts.sending or counts.open < counts.total else "queued"
