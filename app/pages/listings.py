"""The list of conversations, as its templates take it: which ones, a page of them, and where the next one begins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask import request, url_for

from app.accounts.models import Account, User
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.conversations.queries import Show
from app.pages.formats import START, sort_key
from app.pages.htmx import shown_path

SEARCH_LENGTH = 100
CONVERSATION_PATH = re.compile(r"/messages/onlyfans/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations the list shows."""

    show: Show = Show.ALL
    search: str = ""
    high_spend: ClassVar[int] = conversations.HIGH_SPEND_CENTS

    def query(self) -> dict[str, str]:
        """The filter as it stands in an address."""
        chosen = {"filter": self.show.value, "q": self.search}
        return {name: value for name, value in chosen.items() if value}


def wanted() -> Filter:
    """The filter that this request's address names."""
    named = request.args.get("filter", "")
    search = request.args.get("q", "").replace("\x00", "").strip()[:SEARCH_LENGTH]
    return Filter(Show(named) if named in list(Show) else Show.ALL, search)


def address(account_id: int, conversation_id: int | None, chosen: Filter) -> str:
    """The address of the inbox with this conversation open in it, and this list beside it."""
    named = {"conversation_id": conversation_id} if conversation_id else {"account": account_id}
    values: dict[str, Any] = {**named, **chosen.query()}
    return url_for("conversations.inbox", **values)


def opened() -> int | None:
    """The conversation that is open in the page that htmx asks from."""
    shown = CONVERSATION_PATH.fullmatch(shown_path())
    return int(shown[1]) if shown else None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list; `next` is the cursor of the one after it, `first` says that none is before it."""

    account: Account
    filter: Filter
    rows: Sequence[Conversation]
    next: str | None
    first: bool
    unread: int

    @property
    def key(self) -> str:
        """Names the list: rows of another account, filter or search don't belong into it."""
        return f"{self.account.id} {self.filter.show} {self.filter.search}"


def listing(viewer: User, account: Account, chosen: Filter, after: str | None = None) -> Listing:
    """A page of the account's list, the one after the cursor `after`."""
    cursor = read_cursor(after)
    found = conversations.inbox(
        viewer, chosen.show, chosen.search, limit=conversations.PAGE + 1, account_id=account.id, before=cursor
    )
    shown, more = found[: conversations.PAGE], len(found) > conversations.PAGE
    following = write_cursor(shown[-1].last_message_at, shown[-1].id) if more else None
    unread = conversations.count_unread(viewer, account.id)
    return Listing(account, chosen, shown, following, cursor is None, unread)


def write_cursor(at: datetime | None, row_id: int) -> str:
    """A place in a list that is ordered by time and id."""
    return f"{sort_key(at)}-{row_id}"


def read_cursor(text: str | None) -> tuple[datetime | None, int] | None:
    """The place, or None for what isn't one."""
    head, _, tail = (text or "").partition("-")
    if not (head.isascii() and head.isdigit() and tail.isascii() and tail.isdigit()):
        return None
    if len(head) > 16 or len(tail) > 18:
        return None
    microseconds = int(head)
    return (START + timedelta(microseconds=microseconds) if microseconds else None), int(tail)
