"""Stretches of time, put together from what roll-ups hold: whole months and days, quarter hours at the ends; pure.

Roll-ups count the days of one time zone. A report about the days of another one begins and ends within these days: what
lies between is whole, the rest is made up of quarter hours. In the same zone there is no rest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.analytics import zones


class Stretch(NamedTuple):
    """UTC quarter hours from `start` up to `end`; what is in it belongs to `label`."""

    start: int
    end: int
    label: int


class Piece(NamedTuple):
    """Units from `first` to `last`, both in it: months by the number of their first day, days, or quarter hours."""

    first: int
    last: int
    label: int


@dataclass(frozen=True, slots=True)
class Cover:
    """Pieces of each size that together are the stretches, without overlap."""

    months: list[Piece] = field(default_factory=list)
    days: list[Piece] = field(default_factory=list)
    quarters: list[Piece] = field(default_factory=list)


def cover(counted: ZoneInfo | None, stretches: Iterable[Stretch]) -> Cover:
    """The largest pieces that roll-ups of the zone `counted` hold of each stretch; quarter hours without a zone."""
    found = Cover()
    for start, end, label in stretches:
        if counted is None:
            _add(found.quarters, start, end, label)
            continue
        first = _day_from(counted, start)
        until = zones.day_number(zones.local_day(counted, zones.moment_of(end)))
        if first >= until:
            _add(found.quarters, start, end, label)
            continue
        _add(found.quarters, start, zones.begins(counted, zones.day_of(first)), label)
        _add(found.quarters, zones.begins(counted, zones.day_of(until)), end, label)
        _add_days(found, first, until, label)
    return found


def _day_from(zone: ZoneInfo, start: int) -> int:
    """The first day of the zone that begins at a quarter hour, or after it."""
    day = zones.local_day(zone, zones.moment_of(start))
    return zones.day_number(day) + (zones.begins(zone, day) < start)


def _add_days(found: Cover, first: int, until: int, label: int) -> None:
    month, after = zones.month_after(first - 1), zones.month_of(until)
    if month >= after:
        _add(found.days, first, until, label)
        return
    _add(found.days, first, month, label)
    found.months.append(Piece(month, zones.month_of(after - 1), label))
    _add(found.days, after, until, label)


def hours(counted: ZoneInfo | None, shown: ZoneInfo, stretch: Stretch) -> tuple[list[Piece], list[Stretch]]:
    """Whole months, labelled with how many hours the clocks of `shown` are ahead of the counted ones, and the rest.

    Hours of the week can be moved only where that is the same number of whole hours all month.
    """
    months: list[Piece] = []
    rest = [stretch]
    if counted is None:
        return months, rest
    for month in _each(cover(counted, [stretch]).months):
        start, end = (zones.begins(counted, zones.day_of(day)) for day in (month, zones.month_after(month)))
        ahead = _ahead(counted, shown, start, end)
        if ahead is not None:
            months.append(Piece(month, month, ahead))
            last = rest.pop()
            rest += [last._replace(end=start), last._replace(start=end)]
    return months, [one for one in rest if one.start < one.end]


def _each(runs: list[Piece]) -> Iterator[int]:
    for month, last, _ in runs:
        following = month
        while following <= last:
            yield following
            following = zones.month_after(following)


def _ahead(counted: ZoneInfo, shown: ZoneInfo, start: int, end: int) -> int | None:
    changes = {start, *(since for zone in (counted, shown) for since, _ in zones.offsets(zone, start, end)[1:])}
    ahead = {zones.offset(shown, quarter) - zones.offset(counted, quarter) for quarter in changes}
    one = ahead.pop()
    return one // zones.PER_HOUR if not ahead and one % zones.PER_HOUR == 0 else None


def _add(pieces: list[Piece], first: int, until: int, label: int) -> None:
    if first < until:
        pieces.append(Piece(first, until - 1, label))
