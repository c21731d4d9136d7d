"""From the platform's shapes to ours, pure: ids int or text, dollars as decimals, times naive or not, text as HTML."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from app.earnings.models import Kind
from app.gateways.answers import clean_text, is_platform_id

MOST_CENTS = 2_000_000_000
NAME_LENGTH, MEDIA_MOST = 200, 50
HANDLE = re.compile(r"[a-z0-9._-]{1,100}")
LINK = re.compile(r"/chats/chat/(?P<fan>[A-Za-z0-9_-]{1,64})/?\?(?:[^\s\"'<>]*&)?firstId=(?P<message>[0-9]{1,19})")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MEDIA = {"photo": "image", "image": "image", "gif": "image", "video": "video", "audio": "audio"}
KINDS = {
    "message": Kind.MESSAGE,
    "messages": Kind.MESSAGE,
    "chat_messages": Kind.MESSAGE,
    "tip": Kind.TIP,
    "tips": Kind.TIP,
    "subscription": Kind.SUBSCRIPTION,
    "subscribes": Kind.SUBSCRIPTION,
    "subscribe": Kind.SUBSCRIPTION,
    "new_subscription": Kind.SUBSCRIPTION,
    "recurring_subscription": Kind.SUBSCRIPTION,
    "post": Kind.POST,
    "posts": Kind.POST,
    "stream": Kind.STREAM,
    "streams": Kind.STREAM,
}
Json = Mapping[str, Any]


class Unreadable(Exception):
    """What came isn't what the platform's contract says; the text names the field and never its content."""


@dataclass(frozen=True, slots=True)
class Person:
    """A fan as the platform tells of them; name and handle are None when it leaves them out."""

    platform_id: str
    name: str | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message that stands in a chat; `text` is clean, `markup` as it came, `media` are kinds such as `image`."""

    platform_id: str
    fan: Person
    by_us: bool
    text: str
    markup: str
    price_cents: int
    media: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Paid:
    """Money received: what the fan paid, and what of it the creator keeps."""

    platform_id: str
    fan: Person | None
    type: Kind
    gross_cents: int
    net_cents: int
    at: datetime


def identifier(value: object, name: str = "id") -> str:
    """An id as text; raises Unreadable."""
    if not is_platform_id(value):
        raise Unreadable(f"{name} is no id")
    return str(value)


def cents(value: object, name: str = "amount") -> int:
    """Dollars, as a number or written like `$1,234.50`, in cents; raises Unreadable."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        written = str(value).strip().removeprefix("$").replace(",", "")
        found = int((Decimal(written) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    except (ValueError, OverflowError, InvalidOperation):
        raise Unreadable(f"{name} is no amount") from None
    if abs(found) > MOST_CENTS:
        raise Unreadable(f"{name} is no amount")
    return found


def moment(value: object, name: str = "createdAt") -> datetime:
    """A time in ISO 8601, UTC where it names no zone; raises Unreadable."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is no time") from None
    if not EARLIEST <= found < LATEST:
        raise Unreadable(f"{name} is no time")
    return found


def person(value: object, name: str = "user") -> Person:
    """A fan from a user object; raises Unreadable."""
    user = _object(value, name)
    handle = str(user.get("username") or "").strip().lstrip("@").lower()
    shown = " ".join(clean_text(str(user.get("name") or user.get("displayName") or "")).split())
    return Person(
        identifier(user.get("id"), f"{name}.id"),
        shown[:NAME_LENGTH] or None,
        handle if HANDLE.fullmatch(handle) else None,
    )


def webhook_message(value: object, by_us: bool) -> Said:
    """A message as a webhook tells it: the fan is its receiver when it is ours, else its author. Raises Unreadable."""
    item = _object(value, "message")
    name = "toUser" if by_us else "fromUser"
    return _said(item, person(item.get(name), name), by_us)


def listed_message(value: object, fan: Person) -> Said:
    """A message as the listing of the fan's chat tells it; raises Unreadable."""
    item = _object(value, "message")
    return _said(item, fan, bool(item.get("isSentByMe")))


def message_id(value: object) -> str:
    """The id of the message that a payload is about; raises Unreadable."""
    return identifier(_object(value, "message").get("id"))


def _said(item: Json, fan: Person, by_us: bool) -> Said:
    markup = UNSTORABLE.sub("", str(item.get("text") or ""))
    listed = item.get("media")
    media = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return Said(
        platform_id=identifier(item.get("id")),
        fan=fan,
        by_us=by_us,
        text=clean_text(markup),
        markup=markup,
        price_cents=max(0, cents(item.get("price") or 0, "price")),
        media=tuple(MEDIA.get(str(one.get("type")), "file") for one in media[:MEDIA_MOST]),
        at=moment(item.get("createdAt")),
    )


def payment(value: object) -> Paid:
    """Money received, in the shape of a webhook (snake_case, naive UTC) or of a listing (camelCase); or Unreadable."""
    item = _object(value, "transaction")
    kind = KINDS.get(str(item.get("type")))
    if kind is None:
        raise Unreadable("type is none that we know")
    gross = cents(item.get("amount"))
    net = next((item[name] for name in ("net_amount", "net") if item.get(name) is not None), None)
    payer = next((item[name] for name in ("fan", "user") if isinstance(item.get(name), Mapping)), None)
    return Paid(
        platform_id=_hash(item.get("id")),
        fan=person(payer) if payer is not None and payer.get("id") else None,
        type=kind,
        gross_cents=gross,
        net_cents=round(gross * 0.8) if net is None else cents(net, "net"),
        at=moment(item.get("created_at") or item.get("createdAt")),
    )


def subscriber(value: object) -> Person:
    """The fan whom a notification is about: never its `user_id`, which is the creator's. Raises Unreadable."""
    return person(_object(value, "notification").get("user"))


def who(value: object) -> Person:
    """The fan who types or comes online, in a `user` of the payload or the payload itself; raises Unreadable."""
    item = _object(value, "payload")
    return person(item["user"] if isinstance(item.get("user"), Mapping) else item)


def unlocked(value: object) -> tuple[Person, str]:
    """Who bought which message: its id stands only in a link of the notification; raises Unreadable."""
    item = _object(value, "notification")
    found = next((found for text in _texts(item) if (found := LINK.search(text))), None)
    if found is None:
        raise Unreadable("no link leads to the message")
    buyer = person(item["user"]) if isinstance(item.get("user"), Mapping) else Person(found["fan"])
    return buyer, found["message"]


def told_at(value: object, otherwise: datetime) -> datetime:
    """When an event happened, where its payload says so."""
    item = value if isinstance(value, Mapping) else {}
    for name in ("createdAt", "created_at", "occurred_at", "timestamp"):
        try:
            return moment(item.get(name))
        except Unreadable:
            continue
    return otherwise


def _object(value: object, name: str) -> Json:
    if not isinstance(value, Mapping):
        raise Unreadable(f"{name} is no object")
    return value


def _hash(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"[!-~]{1,100}", str(value)):
        raise Unreadable("id is no id")
    return str(value)


def _texts(value: object, depth: int = 4) -> Iterator[str]:
    """Every text in a payload, a few levels deep."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(inner, depth - 1)
