"""The table of fans as its templates take it: what the address asks for, a page of it, and where others begin."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from flask import request

from app.accounts.models import Account, User
from app.fans import lists
from app.fans.lists import Cursor, Wanted
from app.fans.models import Fan
from app.fans.queries import SORTS
from app.imports import values
from app.pages.formats import START, sort_key

PAGE = 50
WORDS = {"q": "search", "tag": "tag", "tier": "tier"}
WORD_LENGTH = 100
STATUSES = ("active", "expired")
SEEN = {7: "in 7 days", 30: "in 30 days", 90: "in 90 days", -30: "not in 30 days", -90: "not in 90 days"}
MOST = 10**16


@dataclass(frozen=True, slots=True)
class Roster:
    """A page; `total` is counted up to a bound, `before` and `after` are cursors of the pages beside it."""

    account: Account
    wanted: Wanted
    rows: Sequence[Fan]
    total: int
    before: str | None
    after: str | None

    @property
    def words(self) -> str:
        """How many there are, as people say it."""
        return f"{lists.COUNTED:,}+" if self.total > lists.COUNTED else f"{self.total:,}"

    @property
    def few(self) -> bool:
        """Whether something can be done to all of them at once."""
        return self.total <= lists.COUNTED

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked of the fans."""
        return any(getattr(self.wanted, one.name) != one.default for one in fields(Wanted) if one.name != "sort")

    def query(self, **changes: Any) -> dict[str, Any]:
        """The account and what is wanted as they stand in an address, with some of it changed."""
        return {"account": self.account.id} | address(self.wanted, **changes)


def wanted() -> Wanted:
    """What this request's address asks for; nonsense asks for nothing."""
    given = request.values
    found: dict[str, Any] = {
        field: values.CONTROL.sub("", given.get(name, "")).strip()[:WORD_LENGTH] for name, field in WORDS.items()
    }
    if given.get("status") in STATUSES:
        found["status"] = given["status"]
    if given.get("sort", "").removeprefix("-") in SORTS:
        found["sort"] = given["sort"]
    seen = {str(days): days for days in SEEN}
    return Wanted(**found, spent_from=_cents("from"), spent_to=_cents("to"), seen=seen.get(given.get("seen", "")))


def address(asked: Wanted, **changes: Any) -> dict[str, Any]:
    """What is wanted as it stands in an address; what is usual is left out."""
    said = asdict(asked)
    found: dict[str, Any] = {name: said[field] for name, field in WORDS.items()}
    found |= {"status": asked.status, "seen": asked.seen, "sort": "" if asked.sort == "name" else asked.sort}
    found |= {"from": dollars(asked.spent_from), "to": dollars(asked.spent_to)}
    return {name: value for name, value in (found | changes).items() if value}


def dollars(cents: int | None) -> str:
    """Cents as they are typed: `12.50`, or nothing."""
    return "" if cents is None else f"{cents // 100}" + (f".{cents % 100:02}" if cents % 100 else "")


def roster(viewer: User, account: Account) -> Roster:
    """The page of the table that this request asks for."""
    asked = wanted()
    after, before = (_read(request.args.get(name), asked) for name in ("after", "before"))
    found = lists.stretch(viewer, account.id, asked, PAGE, after, before)
    return Roster(account, asked, found.rows, found.total, _write(found.before), _write(found.after))


def _cents(name: str) -> int | None:
    text = request.values.get(name, "").strip()
    try:
        return values.cents(text, None) if text else None
    except values.BadCell:
        return None


def _write(place: Cursor | None) -> str | None:
    """A place in the list: `17.Tom`, `17.1250`, `17.` where the value isn't known."""
    if place is None:
        return None
    value, fan_id = place
    return f"{fan_id}.{sort_key(value) if isinstance(value, datetime) else '' if value is None else value}"


def _read(text: str | None, asked: Wanted) -> Cursor | None:
    """The place, or None for what isn't one in this order."""
    head, _, value = (text or "").partition(".")
    if not (head.isascii() and head.isdigit() and len(head) <= 18):
        return None
    column = asked.sort.removeprefix("-")
    if column == "name":
        return values.CONTROL.sub("", value), int(head)
    if column == "lastSeenAt" and not value:
        return None, int(head)
    if not (value.isascii() and value.isdigit() and int(value[:20]) < MOST):
        return None
    number = int(value)
    return (number if column == "valueCents" else START + timedelta(microseconds=number)), int(head)
