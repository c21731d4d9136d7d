"""What the reader of the analytics page has chosen, as it stands in the address; nonsense means what is usual."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from app.accounts.models import User
from app.analytics import queries, zones
from app.analytics.buckets import Interval
from app.analytics.scope import Period, Scope
from app.errors import Invalid, NotFound
from app.pages.addresses import read_id

RANGES = {
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "12m": "12 months",
    "24m": "24 months",
    "month": "This month",
    "last-month": "Last month",
}
DAYS = {"7d": 7, "30d": 30, "90d": 90, "12m": 365, "24m": 730}
USUAL_RANGE = "30d"
TAG_LENGTH = 100
MOST_ACCOUNTS = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """`range_` is a key of RANGES, or empty for days of one's own; `days` are these days in either case."""

    scope: Scope
    chosen_accounts: tuple[int, ...]
    range_: str
    days: Period
    interval: Interval
    chosen_interval: str
    net: bool

    def query(self, **changes: Any) -> dict[str, Any]:
        """The choice as it stands in an address, with some of it changed; what is usual is left out."""
        own = {} if self.range_ else {"from": self.days.first.isoformat(), "to": self.days.last.isoformat()}
        said: dict[str, Any] = {
            "range": "" if self.range_ == USUAL_RANGE else self.range_,
            **own,
            "account": list(self.chosen_accounts),
            "tag": self.scope.tag,
            "zone": self.scope.zone.key if self.scope.zone else "",
            "interval": self.chosen_interval,
            "money": "" if self.net else "gross",
        } | changes
        return {name: value for name, value in said.items() if value}


def choice(viewer: User) -> Choice:
    """What the address of this request says; raises NotFound for an account that isn't the viewer's."""
    given = request.args
    named = [read_id(text) for text in given.getlist("account")[:MOST_ACCOUNTS]]
    ids = tuple(account_id for account_id in named if account_id is not None)
    if len(ids) < len(named):
        raise NotFound("Account not found")
    tag = given.get("tag", "").replace("\x00", "").strip()[:TAG_LENGTH]
    scope = queries.scope(viewer, ids, _zone(given), tag)
    range_, days = _days(scope, given)
    interval = given.get("interval", "")
    chosen = interval if interval in set(Interval) else ""
    return Choice(
        scope=scope,
        chosen_accounts=ids,
        range_=range_,
        days=days,
        interval=Interval(chosen) if chosen else usual_interval(days),
        chosen_interval=chosen,
        net=given.get("money") != "gross",
    )


def usual_interval(days: Period) -> Interval:
    """Steps that make a chart which can be read."""
    if days.days <= 62:
        return Interval.DAY
    return Interval.WEEK if days.days <= 190 else Interval.MONTH


def _days(scope: Scope, given: Mapping[str, str]) -> tuple[str, Period]:
    """Days of one's own, unless they are just what the range that came with them means."""
    range_ = given.get("range", "")
    usual = preset(range_ if range_ in RANGES else USUAL_RANGE, queries.today(scope))
    first, last = _day(given.get("from", "")), _day(given.get("to", ""))
    if first and last and Period(first, last) != usual:
        with suppress(Invalid):
            return "", queries.period(scope, min(first, last), max(first, last))
    return range_ if range_ in RANGES else USUAL_RANGE, usual


def preset(range_: str, today: date) -> Period:
    """The days that a key of RANGES means today."""
    if range_ in DAYS:
        return Period(today - timedelta(days=DAYS[range_] - 1), today)
    first = today.replace(day=1)
    if range_ == "month":
        return Period(first, today)
    return Period((first - zones.DAY).replace(day=1), first - zones.DAY)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _zone(given: Mapping[str, str]) -> ZoneInfo | None:
    return zones.known(given.get("zone", ""))
