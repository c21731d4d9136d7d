"""Reads of fans for people."""

import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.errors import NotFound
from app.extensions import db
from app.fans.models import Fan

SORTS: dict[str, InstrumentedAttribute[object]] = {
    "name": Fan.name,
    "valueCents": Fan.value_cents,
    "lastSeenAt": Fan.last_seen_at,
    "createdAt": Fan.created_at,
}

FEW = 1000
# Always true. Without it SQLite goes through the fans in the order of the page, and looks up each in the table.
_SEARCH_FIRST = Fan.searched >= ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which fans: `search` looks into names, handles, e-mail addresses; `sort` is a key of SORTS, `-`: downwards."""

    account_id: int | None = None
    search: str = ""
    tag: str = ""
    status: str | None = None
    sort: str = "name"


@dataclass(frozen=True, slots=True)
class Owned:
    """A fan and the owner of the account."""

    fan: Fan
    owner_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the `total` fans that match."""

    rows: list[Owned]
    total: int


def page(viewer: User, wanted: Filter, limit: int, offset: int) -> Page:
    """One page in two queries; raises NotFound for an account that isn't the viewer's."""
    where = _conditions(viewer, wanted)
    first = by_index(wanted.tag)
    total = db.session.execute(select(func.count()).select_from(Fan).where(*where, *first)).scalar_one()
    if total == 0 and wanted.account_id is not None:
        accounts.account(viewer, wanted.account_id)
    if total <= FEW:
        where += first
    query = _owned().where(*where).order_by(*_order(wanted.sort)).limit(limit).offset(offset)
    rows = db.session.execute(query).all() if total > offset else []
    return Page([Owned(row.Fan, row.owner_id) for row in rows], total)


def fan(viewer: User, fan_id: int) -> Owned:
    """One fan; raises NotFound when it isn't the viewer's."""
    row = db.session.execute(
        _owned().where(Fan.id == fan_id, Fan.account_id.in_(accounts.visible_ids(viewer)), Fan.removed_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound("Fan not found")
    return Owned(row.Fan, row.owner_id)


def _owned() -> Select[Fan, int]:
    return select(Fan, Account.owner_id).join(Account, Account.id == Fan.account_id)


def _conditions(viewer: User, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Fan.account_id.in_(accounts.visible_ids(viewer)), Fan.removed_at.is_(None)]
    if wanted.account_id is not None:
        found.append(Fan.account_id == wanted.account_id)
    if wanted.status is not None:
        found.append(Fan.status == wanted.status)
    if wanted.search:
        found.append(named(wanted.search))
    if wanted.tag:
        found.append(tagged(wanted.tag))
    return found


def by_index(tag: str) -> list[ColumnElement[bool]]:
    """What to add where fans are to be found before they are put in order; those with a tag have an own index."""
    return [] if tag else [_SEARCH_FIRST]


def named(words: str) -> ColumnElement[bool]:
    """Whether a fan's name, handle or e-mail address has these words in it."""
    for letter in "/%_":
        words = words.replace(letter, f"/{letter}")
    return Fan.searched.like(func.lower(f"%{words.lstrip('@')}%"), escape="/")


def tagged(tag: str) -> ColumnElement[bool]:
    """Whether a fan has this tag."""
    # A tag between its quotes can't be part of another one: those inside a tag are escaped.
    return and_(Fan.tagged.is_not(None), Fan.tagged.icontains(json.dumps(tag), autoescape=True))


def _order(sort: str) -> tuple[ColumnElement[object], ColumnElement[int]]:
    column = SORTS[sort.removeprefix("-")]
    if sort.startswith("-"):
        return column.desc().nulls_last(), Fan.id.desc()
    return column.asc().nulls_last(), Fan.id.asc()
