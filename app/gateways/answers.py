"""What the platform's answers mean: every shape of success and refusal in one place, pure."""

import html
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import httpx
from onlyfansapi import APIConnectionError, APIStatusError

from app import clock

PAUSE_AT_LEAST = 30.0
PAUSE_AT_MOST = 86_400.0
BLOCK_END = re.compile(r"(?i)<br\s*/?>|</p>\s*<p[^>]*>")
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
PLATFORM_ID = re.compile(r"[\x21-\x7e]{1,64}")
TAG = re.compile(r"</?[a-zA-Z][^>]*>")


class Verdict(StrEnum):
    """What the end of a call means for its message (SPEC of delivery: the table of answers)."""

    SENT = "sent"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    UNREACHED = "unreached"
    RATE_LIMITED = "rate_limited"
    RECONNECT = "reconnect"
    STILL_RUNNING = "still_running"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True)
class Login:
    """For whom a call is made: the account's platform id and the key to use."""

    account: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as the platform gets it, the same at every attempt; money in cents."""

    chat: str
    text: str
    price_cents: int
    media_ids: tuple[int | str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call that sends ended. `wait`: seconds that a 429 asks for; `reason`: for people; `code`: for machines."""

    verdict: Verdict
    status_code: int | None = None
    message_id: str | None = None
    reason: str = ""
    code: str = ""
    wait: float = 0.0
    timed_out: bool = False
    unreachable_fan: bool = False


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message that stands in a chat on the platform, text cleaned of HTML."""

    id: str
    text: str
    price_cents: int
    media: int
    sent_by_us: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """An account that a key lists. What else the platform says of it (tokens, addresses) goes no further."""

    platform_id: str
    name: str
    signed_in: bool


class CallFailed(Exception):
    """A call other than a send failed. `final`: the platform said no, it makes no sense to ask again."""

    def __init__(self, reason: str, final: bool = False, refused_login: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.refused_login = refused_login


def read_success(response: httpx.Response) -> Answer:
    """A 2xx: sent only when it names the message; anything else leaves it open."""
    try:
        message_id = response.json()["data"]["id"]
    except (ValueError, KeyError, TypeError):
        message_id = None
    if not is_platform_id(message_id):
        return Answer(Verdict.UNCLEAR, response.status_code, reason="The platform's answer named no message")
    return Answer(Verdict.SENT, response.status_code, message_id=str(message_id))


def is_platform_id(value: object) -> bool:
    """Whether `value` can be an id of the platform's: a positive number, or 1 to 64 printable characters."""
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, int) and value <= 0):
        return False
    return PLATFORM_ID.fullmatch(str(value)) is not None


def read_lost_connection(error: APIConnectionError) -> Answer:
    """No answer: certainly nothing arrived when there was no connection, else nobody knows."""
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Answer(Verdict.UNREACHED, reason="The platform can't be reached")
    timed_out = isinstance(cause, httpx.TimeoutException)
    reason = "The platform didn't answer in time" if timed_out else "The connection to the platform broke"
    return Answer(Verdict.UNCLEAR, reason=reason, timed_out=timed_out)


def read_refusal(error: APIStatusError) -> Answer:
    """An answer that isn't 2xx, with the platform's inner status where it wraps one."""
    body: dict[str, Any] = error.body if isinstance(error.body, dict) else {}
    code = UNPRINTABLE.sub("", str(body.get("error") or ""))[:100]
    status = _inner_status(body) if code == "ONLYFANS_COM_ERROR" else None
    status = status or error.status_code
    reason = read_reason(error.body) or f"The platform answered {status}"
    verdict = _verdict(status, code)
    return Answer(
        verdict,
        status,
        reason=reason,
        code=code,
        wait=_pause(error.response.headers, body) if verdict is Verdict.RATE_LIMITED else 0.0,
        unreachable_fan=status == 400 and "cannot send message" in reason.lower(),
    )


def _verdict(status: int, code: str) -> Verdict:
    if code.startswith("SESSION_EXPIRED") or status in {401, 402}:
        return Verdict.RECONNECT
    if status == 429 or "RATE_LIMIT" in code:
        return Verdict.RATE_LIMITED
    if status == 409:
        return Verdict.STILL_RUNNING
    if status == 422 and code == "IDEMPOTENCY_KEY_MISMATCH":
        return Verdict.MISMATCH
    if status in {400, 403, 404, 422} or 405 <= status < 500 and status != 408:
        return Verdict.REFUSED
    return Verdict.UNCLEAR


def _inner_status(body: dict[str, Any]) -> int | None:
    inner = body.get("onlyfans_response")
    status = inner.get("status") if isinstance(inner, dict) else None
    return status if isinstance(status, int) and 300 <= status < 600 else None


def read_reason(body: object) -> str:
    """The platform's own words in an error body, cleaned and cut, or an empty text."""
    if not isinstance(body, dict):
        return ""
    inner = body.get("onlyfans_response")
    texts = [body.get("message"), inner.get("body") if isinstance(inner, dict) else None, body.get("error")]
    return next((clean_text(text)[:300] for text in texts if isinstance(text, str) and text.strip()), "")


def _pause(headers: httpx.Headers, body: dict[str, Any]) -> float:
    asked = max(_seconds(headers.get("retry-after")), _seconds(body.get("retry_after")))
    return min(max(PAUSE_AT_LEAST, asked), PAUSE_AT_MOST)


def _seconds(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        return _seconds_until(str(value))
    return seconds if math.isfinite(seconds) else 0.0


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware.astimezone(UTC) - clock.now()).total_seconds()
    except (ValueError, OverflowError):
        return 0.0


def read_chat_message(item: dict[str, Any]) -> ChatMessage:
    """One message of a chat's listing; raises KeyError, TypeError or ValueError for what isn't one."""
    return ChatMessage(
        id=str(item["id"]),
        text=clean_text(str(item.get("text") or "")),
        price_cents=round(float(item.get("price") or 0) * 100),
        media=int(item.get("mediaCount") or len(item.get("media") or [])),
        sent_by_us=bool(item.get("isSentByMe")),
        created_at=datetime.fromisoformat(str(item["createdAt"])).astimezone(UTC),
    )


def read_listed(item: dict[str, Any]) -> Listed:
    """One account of a key's list; raises KeyError, TypeError or AttributeError for what isn't one."""
    name = UNPRINTABLE.sub("", str(item.get("display_name") or item.get("onlyfans_username") or ""))
    return Listed(str(item["id"]), name.strip()[:100], bool(item.get("is_authenticated")))


def clean_text(markup: str) -> str:
    """The platform's HTML as plain text: line breaks kept, tags off, entities resolved."""
    return UNPRINTABLE.sub("", html.unescape(TAG.sub("", BLOCK_END.sub("\n", markup)))).strip()


def same_text(ours: str, theirs: str) -> bool:
    """Whether a text of ours is the one that the platform shows (cleaned), white space and markup aside."""
    shown = " ".join(theirs.split())
    return shown in {" ".join(ours.split()), " ".join(clean_text(ours).split())}
