"""Fans in figures: how many there are, what they have spent, and who the best are."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Case, ColumnElement, case, func, select

from app.analytics import sources, zones
from app.analytics.revenue import Money
from app.analytics.scope import Group, Period, Scope
from app.clock import now
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged


@dataclass(frozen=True, slots=True)
class Audience:
    """Fans at the end of a period, and what they had ever spent until then, gross cents."""

    fans: int
    spent: int

    @property
    def lifetime_value(self) -> int | None:
        """What a fan has spent on average, in cents; None without fans."""
        return round(self.spent / self.fans) if self.fans else None


@dataclass(frozen=True, slots=True)
class TopFan:
    """A fan and what they paid in a period; `value_cents` is what they ever paid, gross."""

    fan_id: int
    account_id: int
    name: str
    handle: str | None
    value_cents: int
    money: Money


def growth(scope: Scope, period: Period) -> tuple[int, Audience, Audience]:
    """How many fans there were before the previous period; the audience before this one, and at its end."""
    earlier, found = 0, [Audience(0, 0)] * 2
    spent = _spent_since(scope, period)
    for group in scope.groups():
        [previous], [this] = group.stretches([period.previous]), group.stretches([period])
        (fans, _), *ends = _known(scope, group, (previous.start, this.start, this.end))
        earlier += fans
        found = [Audience(one.fans + fans, one.spent + value) for one, (fans, value) in zip(found, ends, strict=True)]
    before, end = (Audience(one.fans, one.spent - since) for one, since in zip(found, spent, strict=True))
    return earlier, before, end


def _known(scope: Scope, group: Group, ends: tuple[int, ...]) -> list[tuple[int, int]]:
    """At each end: how many fans there were, and what they have spent until today."""
    columns: list[ColumnElement[int]] = []
    for end in ends:
        there = _there(zones.moment_of(end))
        columns += [func.count().filter(there), func.coalesce(func.sum(Fan.value_cents).filter(there), 0)]
    row = db.session.execute(select(*columns).where(*_fans(scope, group.account_ids))).one()
    return [(int(row[place]), int(row[place + 1])) for place in range(0, len(row), 2)]


def _there(moment: datetime | Case[datetime]) -> ColumnElement[bool]:
    """Whether a fan had come by then, and hadn't been taken out."""
    return (Fan.created_at < moment) & (Fan.removed_at.is_(None) | (Fan.removed_at >= moment))


def _spent_since(scope: Scope, period: Period) -> tuple[int, int]:
    """What the fans of its beginning have spent since then until now, and those of its end since its end."""
    since_end = Period(period.last + zones.DAY, _latest(scope))
    rows = sources.fans(scope, [period, since_end])
    before, after = (_moments(scope, period, place) for place in (0, 1))
    columns = (
        func.coalesce(func.sum(rows.c.gross).filter(_there(before)), 0),
        func.coalesce(func.sum(rows.c.gross).filter((rows.c.label == 1) & _there(after)), 0),
    )
    query = select(*columns).select_from(rows).join(Fan, Fan.id == rows.c.fan_id)
    since_begin, since = db.session.execute(query).one()
    return int(since_begin), int(since)


def _latest(scope: Scope) -> date:
    """The last day that has begun anywhere in the scope."""
    return max(zones.local_day(group.zone, now()) for group in scope.groups())


def _moments(scope: Scope, period: Period, place: int) -> datetime | Case[datetime]:
    """When the period begins (`place` 0) or has ended (1) for a fan, by their account."""
    found = [(group, group.stretches([period])[0][place]) for group in scope.groups()]
    if len(found) == 1:
        return zones.moment_of(found[0][1])
    return case(*((Fan.account_id.in_(group.account_ids), zones.moment_of(end)) for group, end in found))


def fans_by_account(scope: Scope) -> dict[int, int]:
    """Account id → how many fans it has now."""
    query = select(Fan.account_id, func.count()).where(*_fans(scope, scope.ids), Fan.removed_at.is_(None))
    query = query.group_by(Fan.account_id)
    return dict(db.session.execute(query).all())


def top(scope: Scope, period: Period, limit: int, net: bool = False) -> list[TopFan]:
    """Who paid the most in the period, by gross or net."""
    rows = sources.fans(scope, [period])
    sums = (func.sum(rows.c.gross), func.sum(rows.c.net), func.sum(rows.c.payments))
    paid = select(
        rows.c.fan_id, *(sum_.label(name) for sum_, name in zip(sums, ("gross", "net", "payments"), strict=True))
    )
    paid = paid.group_by(rows.c.fan_id).order_by(sums[int(net)].desc(), rows.c.fan_id).limit(limit)
    best = paid.subquery()
    query = select(
        Fan.id, Fan.account_id, Fan.name, Fan.handle, Fan.value_cents, best.c.gross, best.c.net, best.c.payments
    )
    query = query.join(best, best.c.fan_id == Fan.id)
    query = query.order_by((best.c.net if net else best.c.gross).desc(), Fan.id)
    return [
        TopFan(row.id, row.account_id, row.name, row.handle, row.value_cents, Money(*map(int, row[5:])))
        for row in db.session.execute(query)
    ]


def tags(scope: Scope) -> list[str]:
    """The tags that fans of the accounts have, in order, at most 500."""
    there = (Fan.account_id.in_(scope.ids), Fan.tagged.is_not(None), Fan.removed_at.is_(None))
    query = select(Fan.tagged).where(*there).distinct().limit(5000)
    found = {tag for tags in db.session.scalars(query) if tags is not None for tag in json.loads(tags)}
    return sorted(found)[:500]


def _fans(scope: Scope, account_ids: tuple[int, ...]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Fan.account_id.in_(account_ids)]
    if scope.tag:
        found.append(tagged(scope.tag))
    return found
