"""How the analytics page writes figures for people."""

from itertools import pairwise
from typing import Any

from app.analytics.cards import Card
from app.analytics.scope import Period
from app.analytics.tables import Cell
from app.pages.reports import Choice

NOTHING = "–"
SMALL = 0.0005


def cell(value: Any, kind: Cell) -> str:
    """`$1,234.50`, `1,234`, `97.4 %`, `1 h 20 min`, `2 Nov 2026`, or a dash for None."""
    if value is None:
        return NOTHING
    if kind is Cell.MONEY:
        return f"{'−' if value < 0 else ''}${abs(value) / 100:,.2f}"
    if kind is Cell.COUNT:
        return f"{value:,}"
    if kind is Cell.SHARE:
        return f"{value:.1%}".replace("%", " %")
    if kind is Cell.SECONDS:
        return _time(round(value))
    return f"{value.day} {value:%b %Y}" if kind is Cell.DAY else str(value)


def _time(seconds: int) -> str:
    """`45 s`, `12 min`, `1 h 20 min`, `3 d 4 h`."""
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    for (size, name), (part, part_name) in pairwise(units):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {name}" + (f" {rest} {part_name}" if rest and part_name != "s" else "")
    return f"{seconds} s"


def change(card: Card) -> str:
    """`▲ 12.3 %`, `▼ 4.0 points` of a share, `No change`."""
    grown = card.change or 0
    if abs(grown) < SMALL:
        return "No change"
    return f"{'▲' if grown > 0 else '▼'} {abs(grown) * 100:,.1f} {'points' if card.kind is Cell.SHARE else '%'}"


def judged(card: Card) -> str:
    """Whether a figure became `good` or `bad`; fans who wait longer are no good news."""
    if card.change is None or abs(card.change) < SMALL:
        return ""
    return "good" if (card.change > 0) != (card.kind is Cell.SECONDS) else "bad"


def span(days: Period) -> str:
    """`24 Oct – 22 Nov 2026`."""
    first, last = days.first, days.last
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{year} – {last.day} {last:%b %Y}"


def own_zones(choice: Choice) -> str:
    """What the days are where no other time zone was chosen."""
    names = {account.time_zone for account in choice.scope.accounts}
    return f"{names.pop().replace('_', ' ')} (the account’s)" if len(names) == 1 else "Each creator’s own time zone"
