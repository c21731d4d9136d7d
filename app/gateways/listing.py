"""What the platform lists, page by page, where the next page begins, and how much of the team's limit is left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from onlyfansapi import APIStatusError

from app.gateways.answers import CallFailed, Login, read_refusal
from app.gateways.platform import OnlyFansPlatform

CHATS, MESSAGES, FANS, PAYMENTS = 10, 50, 20, 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some things, where the next page begins (None: nowhere), and the share of the team's limit that is left."""

    items: list[Any]
    following: str | None
    left: float


class Listing:
    """Reads for catching up; one call each, none is tried twice."""

    def __init__(self, platform: OnlyFansPlatform) -> None:
        self.platform = platform

    def chats(self, login: Login, cursor: str | None) -> Page:
        """Chats, the newest first; raises CallFailed."""
        chats = self.platform.client_for(login.api_key).chats.with_raw_response
        return self._page(
            lambda: (
                chats.list(
                    login.account, limit=str(CHATS), offset=cursor or "0", order="recent", skip_users="none"
                ).http_response
            ),
            "offset",
            _behind(cursor, CHATS),
        )

    def messages(self, login: Login, chat: str, cursor: str | None) -> Page:
        """A chat's messages, the newest first; the platform takes the chat for read. Raises CallFailed."""
        messages = self.platform.client_for(login.api_key).chats.messages.with_raw_response
        more: dict[str, Any] = {"first_id": cursor} if cursor else {}
        return self._page(
            lambda: messages.list(chat, account=login.account, limit=str(MESSAGES), order="desc", **more).http_response,
            "first_id",
        )

    def fans(self, login: Login, cursor: str | None) -> Page:
        """All fans, subscribed or not; raises CallFailed."""
        fans = self.platform.client_for(login.api_key).fans.with_raw_response
        return self._page(
            lambda: fans.list_all(login.account, limit=FANS, offset=int(cursor or 0)).http_response,
            "offset",
            _behind(cursor, FANS),
        )

    def payments(self, login: Login, since: datetime, cursor: str | None) -> Page:
        """Money received since then, the newest first; raises CallFailed."""
        transactions = self.platform.client_for(login.api_key).transactions.with_raw_response
        more: dict[str, Any] = {"marker": cursor} if cursor else {}
        start = since.strftime("%Y-%m-%d %H:%M:%S")
        return self._page(
            lambda: transactions.list(login.account, limit=str(PAYMENTS), start_date=start, **more).http_response,
            "marker",
        )

    def mark_unread(self, login: Login, chat: str) -> None:
        """Set a chat back to unread after it was read here; raises CallFailed."""
        self.platform.mark_unread(login, chat)

    def _page(self, call: Callable[[], httpx.Response], cursor_name: str, behind: str | None = None) -> Page:
        with self.platform.outside_call():
            response = call()
            return read_page(response.json(), response.headers, cursor_name, behind)


def read_page(body: Mapping[str, Any], headers: Mapping[str, str], cursor_name: str, behind: str | None = None) -> Page:
    """A page in either of the platform's shapes; `behind` is where the next one begins if it doesn't say.

    Raises KeyError, TypeError or ValueError for what isn't a page.
    """
    data = body["data"]
    items = data if isinstance(data, list) else data["list"]
    if not isinstance(items, list):
        raise TypeError("a page without its list")
    next_page = (body.get("_pagination") or {}).get("next_page")
    following = parse_qs(urlsplit(next_page).query).get(cursor_name, [None])[0] if next_page else None
    if isinstance(data, Mapping):
        # `hasMore` is the authority where there is one: pages come short in the middle.
        more, marker = bool(data.get("hasMore")), data.get("nextMarker")
        following = (following or (str(marker) if marker is not None else behind)) if more else None
    return Page(items, following, _left(headers))


def _behind(cursor: str | None, page: int) -> str:
    return str(int(cursor or 0) + page)


def _left(headers: Mapping[str, str]) -> float:
    try:
        limit = float(headers["x-rate-limit-limit-minute"])
        return float(headers["x-rate-limit-remaining-minute"]) / limit if limit > 0 else 1.0
    except (KeyError, ValueError):
        return 1.0


def wait_asked_for(failure: CallFailed) -> float:
    """The seconds that a refusal asks us to wait, 0 when it names none."""
    cause = failure.__cause__
    return read_refusal(cause).wait if isinstance(cause, APIStatusError) else 0.0
