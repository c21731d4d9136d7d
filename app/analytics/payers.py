"""Fans who paid: how many different ones, in all, by account, over time."""

from collections import Counter

from sqlalchemy import distinct, exists, false, func, or_, select

from app.analytics import covers, sources
from app.analytics.buckets import Interval, buckets
from app.analytics.covers import Cover
from app.analytics.models import FanDay, FanMonth
from app.analytics.scope import Group, Period, Scope
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged


def by_account(scope: Scope, *periods: Period) -> dict[int, list[int]]:
    """Account id → how many different fans paid in each of the periods."""
    found: dict[int, list[int]] = {}
    for group in scope.groups():
        # One look for each fan is quicker than to sort whatever all of them paid.
        looks = ([exists(one) for one in sources.paid_in(group, each)] for each in group.stretches(periods))
        counts = (func.count().filter(or_(false(), *paid)) for paid in looks)
        query = select(Fan.account_id, *counts).where(Fan.account_id.in_(group.account_ids)).group_by(Fan.account_id)
        query = query.where(tagged(scope.tag)) if scope.tag else query
        found |= {account_id: list(numbers) for account_id, *numbers in db.session.execute(query)}
    return found


def over_time(scope: Scope, period: Period, interval: Interval) -> list[int]:
    """How many different fans paid in each bucket of the period."""
    periods = [Period(bucket.first, bucket.last) for bucket in buckets(interval, period)]
    found: Counter[int] = Counter()
    for group in scope.groups():
        stretches = group.stretches(periods)
        units = _units(covers.cover(group.counted, stretches))
        found += _of_units(scope, group, units)
        others = [one for one in stretches if one.label not in units]
        found += _of_others(scope, group, others) if others else Counter()
    return [found[label] for label in range(len(periods))]


Units = dict[int, tuple[sources.Unit, int]]


def _units(cover: Cover) -> Units:
    """Of stretches that are one whole month or day: its label → which. A fan has one row in each of them."""
    pieces = Counter(piece.label for sizes in (cover.months, cover.days, cover.quarters) for piece in sizes)
    whole = [(FanMonth.month, piece) for piece in cover.months] + [(FanDay.day, piece) for piece in cover.days]
    return {label: (unit, first) for unit, (first, last, label) in whole if first == last and pieces[label] == 1}


def _of_units(scope: Scope, group: Group, units: Units) -> Counter[int]:
    found: Counter[int] = Counter()
    for unit, table in ((FanMonth.month, FanMonth), (FanDay.day, FanDay)):
        labels = {number: label for label, (size, number) in units.items() if size is unit}
        query = select(unit, func.count()).where(table.account_id.in_(group.account_ids), unit.in_(labels))
        if scope.tag:
            query = query.join(Fan, Fan.id == table.fan_id).where(tagged(scope.tag))
        # In the order of the key, which needs no sorting.
        for number, fans in db.session.execute(query.group_by(table.account_id, unit)) if labels else ():
            found[labels[number]] += fans
    return found


def _of_others(scope: Scope, group: Group, stretches: list[covers.Stretch]) -> Counter[int]:
    rows = sources.fans_of(scope, group, stretches)
    query = select(rows.c.label, func.count(distinct(rows.c.fan_id))).group_by(rows.c.label)
    return Counter(dict(db.session.execute(query).all()))
