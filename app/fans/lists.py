"""The table of an account's fans: which ones, in which order, a page of them, and where the next one begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts import queries as accounts
from app.accounts.models import User
from app.clock import now
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import FEW, SORTS, by_index, named, tagged

AT_ONCE = 1000
COUNTED = 10_000
NULLABLE = Fan.last_seen_at
Cursor = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fans; an empty wish asks nothing. Money in cents; `seen`: days within which it was, negative: not since.

    `sort` is a key of SORTS, `-` in front: downwards; those of whom it isn't known come last.
    """

    search: str = ""
    tag: str = ""
    tier: str = ""
    status: str = ""
    spent_from: int | None = None
    spent_to: int | None = None
    seen: int | None = None
    sort: str = "name"


EVERYBODY = Wanted(sort="")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Fans in order; `before` and `after` are where the pages around them begin, None where there are none.

    `total`: how many fans are wanted, counted up to one more than COUNTED.
    """

    rows: list[Fan]
    total: int
    before: Cursor | None
    after: Cursor | None


def stretch(
    viewer: User, account_id: int, wanted: Wanted, limit: int, after: Cursor | None = None, before: Cursor | None = None
) -> Stretch:
    """At most `limit` fans behind the place `after`, or in front of `before`; raises NotFound for a foreign account."""
    accounts.account(viewer, account_id)
    backwards = before is not None and after is None
    where, total = _narrowed(account_id, wanted)
    found = _read(where, wanted, before if backwards else after, limit + 1, backwards)
    shown, more = found[:limit], len(found) > limit
    if backwards:
        shown.reverse()
    in_front, behind = (more, True) if backwards else (after is not None, more)
    if not shown:
        return Stretch([], total, None, None)
    return Stretch(
        shown,
        total,
        _place(shown[0], wanted) if in_front else None,
        _place(shown[-1], wanted) if behind else None,
    )


def ids(viewer: User, account_id: int, wanted: Wanted, limit: int) -> list[int]:
    """The ids of the first `limit` of these fans, in no order; raises NotFound for an account that isn't theirs."""
    accounts.account(viewer, account_id)
    return list(db.session.scalars(select(Fan.id).where(*_wishes(account_id, wanted)).limit(limit)))


def every(viewer: User, account_id: int, wanted: Wanted) -> Iterator[Fan]:
    """All of them in their order, read in pieces; raises NotFound for an account that isn't the viewer's."""
    accounts.account(viewer, account_id)
    return _every(account_id, wanted)


def _narrowed(account_id: int, wanted: Wanted) -> tuple[list[ColumnElement[bool]], int]:
    """Which fans that is, as ids where they are few, and how many: one look into an index that knows all filters."""
    where = _wishes(account_id, wanted)
    some = select(Fan.id).where(*where, *by_index(wanted.tag))
    if replace(wanted, sort="") != EVERYBODY:
        found = db.session.scalars(some.limit(FEW + 1)).all()
        if len(found) <= FEW:
            return [Fan.id.in_(found)], len(found)
    counted = select(func.count()).select_from(some.limit(COUNTED + 1).subquery())
    return where, db.session.execute(counted).scalar_one()


def _every(account_id: int, wanted: Wanted) -> Iterator[Fan]:
    place = None
    where = _wishes(account_id, wanted)
    while found := _read(where, wanted, place, AT_ONCE):
        yield from found
        place = _place(found[-1], wanted)
        db.session.expunge_all()


def _place(fan: Fan, wanted: Wanted) -> Cursor:
    return getattr(fan, _column(wanted).key), fan.id


def _column(wanted: Wanted) -> InstrumentedAttribute[Any]:
    return SORTS[wanted.sort.removeprefix("-")]


def _read(
    where: Sequence[ColumnElement[bool]], wanted: Wanted, place: Cursor | None, limit: int, backwards: bool = False
) -> list[Fan]:
    """Those of whom the column is known, then the others: two reads, each in the order of an index."""
    parts = [True, False] if _column(wanted) is NULLABLE else [True]
    if backwards:
        parts.reverse()
    if place is not None:
        parts = parts[parts.index(place[0] is not None) :]
    rows: list[Fan] = []
    for part in parts:
        query = _part(where, wanted, part, place, backwards).limit(limit - len(rows))
        rows += db.session.scalars(query)
        place = None
        if len(rows) == limit:
            break
    return rows


def _part(
    where: Sequence[ColumnElement[bool]], wanted: Wanted, known: bool, place: Cursor | None, backwards: bool
) -> Select[Fan]:
    column, down = _column(wanted), wanted.sort.startswith("-") != backwards
    order = (column, Fan.id) if known else (Fan.id,)
    query = select(Fan).where(*where)
    if column is NULLABLE:
        query = query.where(column.is_not(None) if known else column.is_(None))
    if place is not None:
        here, there = tuple_(*order), tuple_(*(place if known else place[1:]))
        query = query.where(here < there if down else here > there)
    return query.order_by(*(one.desc() if down else one.asc() for one in order))


def _wishes(account_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Fan.account_id == account_id, Fan.removed_at.is_(None)]
    if wanted.search:
        found.append(named(wanted.search))
    if wanted.tag:
        found.append(tagged(wanted.tag))
    if wanted.tier:
        found.append(Fan.tier == wanted.tier)
    if wanted.status:
        found.append(Fan.status == wanted.status)
    if wanted.spent_from is not None:
        found.append(Fan.value_cents >= wanted.spent_from)
    if wanted.spent_to is not None:
        found.append(Fan.value_cents <= wanted.spent_to)
    if wanted.seen is not None:
        found.append(_seen(wanted.seen, now()))
    return found


def _seen(days: int, at: datetime) -> ColumnElement[bool]:
    since = Fan.last_seen_at >= at - timedelta(days=abs(days))
    return since if days > 0 else Fan.last_seen_at.is_(None) | ~since
