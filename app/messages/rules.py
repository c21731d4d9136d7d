"""What a message may hold: the types that every way in checks with, so that all refuse the same."""

import mimetypes
import re
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from app.messages.models import Priority

TEXT_LENGTH = 5000
MEDIA_MOST = 10
URL_LENGTH = 2048
PRICE_LOW, PRICE_HIGH = 300, 20_000
PRIORITIES = {"high": Priority.HIGH, "normal": Priority.NORMAL, "low": Priority.LOW}
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PRIVATE_SUFFIXES = (
    ".home.arpa",
    ".localdomain",
    ".local",
    ".localhost",
    ".internal",
    ".lan",
    ".home",
    ".corp",
    ".test",
    ".invalid",
    ".onion",
)
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as its author wants it, already checked: `attachments` are `{type, url}`, money is cents."""

    text: str
    priority: Priority = Priority.HIGH
    price_cents: int = 0
    attachments: tuple[dict[str, str], ...] = field(default=())
    scheduled_at: datetime | None = None


def refuse(kind: str, message: str) -> PydanticCustomError:
    """An error whose text reaches the person as it is."""
    return PydanticCustomError(kind, "{text}", {"text": message})


def check_text(value: str) -> str:
    """Refuse what is blank or can't be stored or shown."""
    if not value.strip():
        raise refuse("blank", "Content is required")
    if len(value) > TEXT_LENGTH:
        raise refuse("too_long", f"Content must be at most {TEXT_LENGTH} characters")
    if UNPRINTABLE.search(value):
        raise refuse("unprintable", "Content must not hold control characters")
    return value


def check_url(value: str) -> str:
    """Refuse all but https with a public host name: the platform fetches it, nothing else may be reached."""
    if len(value) > URL_LENGTH or UNPRINTABLE.search(value) or re.search(r"\s", value):
        raise refuse("url", f"Media URLs must be plain and at most {URL_LENGTH} characters")
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        raise refuse("url", "This is not a URL") from None
    if parts.scheme.lower() != "https":
        raise refuse("url", "Media URLs must begin with https://")
    if parts.username is not None or port not in (None, 443) or not is_public_host(host):
        raise refuse("url", "Media URLs must name a public host")
    return value


def is_public_host(host: str) -> bool:
    """Whether `host` is a name that can be public: no address, no single label, no private suffix."""
    try:
        ip_address(host)
    except ValueError:
        numeric = NUMBER.fullmatch(host.rpartition(".")[2])
        return bool(HOST.fullmatch(host)) and not numeric and not host.endswith(PRIVATE_SUFFIXES)
    return False


def attachment_of(url: str) -> dict[str, str]:
    """`{type, url}`, the type taken from the name's ending; an image when it says nothing."""
    guessed = (mimetypes.guess_type(url.partition("?")[0])[0] or "image").partition("/")[0]
    return {"type": guessed if guessed in ("video", "audio") else "image", "url": url}


def price_fault(price_cents: int, media: int) -> str | None:
    """What is wrong with the price, or None: 0, or 300–20000 cents and only with media."""
    if price_cents == 0:
        return None
    if not PRICE_LOW <= price_cents <= PRICE_HIGH:
        return f"Price must be 0 or {PRICE_LOW} to {PRICE_HIGH} cents"
    return None if media else "A price needs media"


MessageText = Annotated[str, AfterValidator(check_text)]
MediaUrl = Annotated[str, AfterValidator(check_url)]
RecipientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
