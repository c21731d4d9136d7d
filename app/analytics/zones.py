"""Days and hours of a time zone, counted in whole quarter hours since 1970; pure.

Since 1972 every zone is ahead of or behind UTC by whole quarter hours: its local time is a UTC quarter hour plus an
offset that changes a few times a year, which a database can add.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

QUARTER_SECONDS = 900
PER_HOUR = 4
PER_DAY = 96
HOURS = 7 * 24
"""Of a week."""
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.date()
GREENWICH = ZoneInfo("UTC")
MONDAY = 3
"""How many days after a Monday 1 January 1970 was."""

Offsets = tuple[tuple[int, int], ...]
"""From which quarter on the local time is how many quarters ahead of UTC, in order."""


def known(name: str) -> ZoneInfo | None:
    """The time zone with this IANA name, or None."""
    return ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def day_number(day: date) -> int:
    """Days since 1 January 1970."""
    return (day - EPOCH_DAY).days


def day_of(number: int) -> date:
    """The date of a day's number."""
    return EPOCH_DAY + timedelta(days=number)


def quarter_of(at: datetime) -> int:
    """The UTC quarter hour that a moment belongs to."""
    return (at - EPOCH) // timedelta(seconds=QUARTER_SECONDS)


def moment_of(quarter: int) -> datetime:
    """When a UTC quarter hour begins."""
    return EPOCH + timedelta(seconds=quarter * QUARTER_SECONDS)


def begins(zone: ZoneInfo, day: date) -> int:
    """The UTC quarter hour with which a day of the zone begins; where clocks skip midnight, the one after the skip."""
    return quarter_of(datetime(day.year, day.month, day.day, tzinfo=zone))


def local_day(zone: ZoneInfo, at: datetime) -> date:
    """The day of the zone that a moment belongs to."""
    return at.astimezone(zone).date()


def month_of(day: int) -> int:
    """The number of the first day of a day's month."""
    return day - day_of(day).day + 1


def month_after(day: int) -> int:
    """The number of the first day of the month after a day's month."""
    return month_of(month_of(day) + 31)


def offset(zone: ZoneInfo, quarter: int) -> int:
    """How many quarter hours the zone's clocks are ahead of UTC."""
    ahead = moment_of(quarter).astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(seconds=QUARTER_SECONDS)


def offsets(zone: ZoneInfo, start: int, end: int) -> Offsets:
    """The zone's offsets from quarter `start` up to `end`; the first of them may have begun earlier."""
    years = range(moment_of(start).year, moment_of(max(start, end - 1)).year + 1)
    found: list[tuple[int, int]] = []
    for since, ahead in (change for year in years for change in _of_year(zone, year)):
        if since <= start:
            found[:] = [(since, ahead)]
        elif since < end and ahead != found[-1][1]:
            found.append((since, ahead))
    return tuple(found)


@lru_cache(maxsize=4096)
def _of_year(zone: ZoneInfo, year: int) -> Offsets:
    first = quarter_of(datetime(year, 1, 1, tzinfo=UTC))
    end = quarter_of(datetime(year + 1, 1, 1, tzinfo=UTC))
    found = [(first, offset(zone, first))]
    for before in range(first, end, PER_DAY):
        after = min(before + PER_DAY, end)
        if offset(zone, after) != found[-1][1]:
            found.append(_change(zone, before, after))
    return tuple(found)


def _change(zone: ZoneInfo, before: int, after: int) -> tuple[int, int]:
    """The first quarter with the offset that the zone has `after`; there is one change between the two."""
    wanted = offset(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if offset(zone, middle) == wanted else (middle, after)
    return after, wanted
