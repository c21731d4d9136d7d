"""Fans by the month of their first payment, and who of them still pays."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import aliased

from app.analytics import zones
from app.analytics.buckets import Interval, buckets
from app.analytics.models import FanMonth
from app.analytics.scope import Period, Scope
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Cohort:
    """Fans who paid for the first time in a month: how many, and how many of them paid in each month since."""

    month: date
    size: int
    stayed: list[int]


def cohorts(scope: Scope, last: date) -> list[Cohort]:
    """The twelve months up to that of `last`, in each account's own time zone: who began to pay, and who stayed."""
    months = [bucket.first for bucket in buckets(Interval.MONTH, Period(_months_before(last, MONTHS - 1), last))]
    found: Counter[tuple[int, int]] = Counter()
    for paid, fans in _patterns(scope, months):
        places = [place for place in range(len(months)) if paid >> place & 1]
        found.update({(places[0], place): fans for place in places})
    return [
        Cohort(month, found[place, place], [found[place, later] for later in range(place, len(months))])
        for place, month in enumerate(months)
    ]


def _patterns(scope: Scope, months: list[date]) -> list[tuple[int, int]]:
    """In which of the months somebody paid who had never paid before, a bit each, and how many such fans there are."""
    numbers = [zones.day_number(month) for month in months]
    bit = case({number: 1 << place for place, number in enumerate(numbers)}, value=FanMonth.month)
    paid = select(FanMonth.fan_id, func.sum(bit).label("months")).group_by(FanMonth.fan_id)
    paid = paid.where(FanMonth.account_id.in_(scope.ids), FanMonth.month.between(numbers[0], numbers[-1]))
    if scope.tag:
        paid = paid.join(Fan, Fan.id == FanMonth.fan_id).where(tagged(scope.tag))
    pattern, earlier = paid.subquery(), aliased(FanMonth)
    paid_earlier = exists().where(earlier.fan_id == pattern.c.fan_id, earlier.month < numbers[0])
    query = select(pattern.c.months, func.count()).where(~paid_earlier).group_by(pattern.c.months)
    return [(int(bits), fans) for bits, fans in db.session.execute(query)]


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
