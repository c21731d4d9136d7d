"""Days, weeks and months of a period: what charts count in; pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, case

from app.analytics import zones
from app.analytics.scope import Period


class Interval(StrEnum):
    """How long a bucket is; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some days of a period; the first and the last bucket may be shorter than the others."""

    first: date
    last: date


def begin(interval: Interval, day: date) -> date:
    """The first day of the day, week or month that holds `day`."""
    if interval is Interval.WEEK:
        return zones.day_of(zones.day_number(day) - day.weekday())
    return day.replace(day=1) if interval is Interval.MONTH else day


def buckets(interval: Interval, period: Period) -> list[Bucket]:
    """The buckets of a period, in order, without a gap."""
    starts = [begin(interval, period.first)]
    while (following := after(interval, starts[-1])) <= period.last:
        starts.append(following)
    ends = [start - zones.DAY for start in starts[1:]] + [period.last]
    return [Bucket(max(start, period.first), end) for start, end in zip(starts, ends, strict=True)]


def after(interval: Interval, start: date) -> date:
    """The beginning of the next bucket."""
    if interval is Interval.MONTH:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start + zones.DAY * (7 if interval is Interval.WEEK else 1)


def column(interval: Interval, day: ColumnElement[int], period: Period) -> ColumnElement[int]:
    """The number of the first day of the bucket that the day number `day`, one of the period, is in."""
    if interval is Interval.DAY:
        return day
    if interval is Interval.WEEK:
        return day - (day + zones.MONDAY) % 7
    starts = [zones.day_number(begin(interval, bucket.first)) for bucket in buckets(interval, period)]
    return case(*((day >= start, start) for start in reversed(starts)))
