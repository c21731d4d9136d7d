"""Pages of conversations for the JSON door, with their totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
)

from app.accounts import queries as accounts
from app.accounts.tokens import Proof, lasts
from app.conversations.models import Conversation
from app.conversations.queries import NEWEST_FIRST
from app.db import BigId, Written, read
from app.fans.models import Fan

ACCOUNTS: BindParameter[list[int]] = bindparam("accounts", expanding=True)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations; `search` looks into names and handles."""

    account_id: int | None = None
    unread: bool = False
    search: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Conversations with what is shown of their fans, newest first; `total` counts all that match.

    `owners`: account id → its owner's. A row is: id, account's, fan's, time and text of the last message, how many
    are unread, the fan's name, handle and avatar, the total.
    """

    rows: Sequence[Row[Any]]
    owners: dict[int, int]
    total: int


def page(proof: Proof, wanted: Filter, limit: int, offset: int) -> Page:
    """One page in two queries (one more beyond the end); raises NotFound for an account that isn't theirs."""
    owners = accounts.owners(proof.viewer, wanted.account_id)
    values = {"accounts": list(owners), "limit": limit, "offset": offset}
    rows = read(_page(wanted.unread, wanted.search), values) if owners else []
    if rows or not offset or not owners:
        return Page(rows, owners, rows[0].total if rows else 0)
    return Page(rows, owners, read(_total(wanted.unread, wanted.search), values)[0][0])


def state(proof: Proof, wanted: Filter, limit: int, offset: int) -> tuple[Row[Any], ...] | None:
    """What differs once the page would; the same query asks whether the proof holds: None when it doesn't.

    Empty where it takes more than a short look into an index: for several accounts at once, and for a search.
    """
    values = proof.values() | {"account": wanted.account_id, "limit": limit, "offset": offset}
    rows = read(_state(wanted.unread, wanted.account_id is not None), values | ({"limit": 0} if wanted.search else {}))
    return tuple(row for row in rows if row.id is not None) if rows else None


# Built once: SQLAlchemy takes longer to build them than a database to answer them.
@lru_cache(maxsize=64)
def _page(unread: bool, search: str) -> Select[Any]:
    """The ids are found in an index alone; only the rows that are shown are read."""
    newest = _matching(unread, search).order_by(*NEWEST_FIRST).limit(bindparam("limit")).offset(bindparam("offset"))
    shown = newest.subquery()
    return (
        select(
            Conversation.id,
            Conversation.account_id,
            Conversation.fan_id,
            Written(Conversation.last_message_at),
            Conversation.last_message,
            Conversation.unread_count,
            Fan.name,
            Fan.handle,
            Fan.avatar,
            _total(unread, search).scalar_subquery().label("total"),
        )
        .join(shown, shown.c.id == Conversation.id)
        .join(Fan, Fan.id == Conversation.fan_id)
        .order_by(*NEWEST_FIRST)
    )


def _total(unread: bool, search: str) -> Select[int]:
    return select(func.count()).select_from(_matching(unread, search).subquery())


def _matching(unread: bool, search: str) -> Select[int]:
    query = select(Conversation.id).where(Conversation.account_id.in_(ACCOUNTS))
    if unread:
        query = query.where(_unread())
    if search:
        handle = Fan.handle.icontains(search.lstrip("@"), autoescape=True)
        query = query.join(Fan, Fan.id == Conversation.fan_id)
        query = query.where(Fan.name.icontains(search, autoescape=True) | handle)
    return query


@cache
def _state(unread: bool, named: bool) -> Select[Any]:
    """For one account only, because an index knows the order of its conversations."""
    mine = accounts.scope().subquery()
    only = select(func.min(mine.c.id)).scalar_subquery()
    account = bindparam("account", type_=BigId) if named else only
    theirs = account.in_(accounts.scope()) if named else select(func.count()).select_from(mine).scalar_subquery() == 1
    matching = [Conversation.account_id == account, *([_unread()] if unread else [])]
    total = select(func.count()).select_from(Conversation).where(*matching).scalar_subquery()
    shown = (
        select(Conversation.id, Conversation.fan_id, Conversation.version, Conversation.unread_count)
        .where(*matching, theirs)
        .order_by(*NEWEST_FIRST)
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
        .subquery()
    )
    asker = select(literal(1).label("one")).where(lasts()).subquery()
    # A fan's name may change without their conversation.
    return (
        select(shown, cast(Fan.updated_at, Text), total)
        .select_from(asker)
        .join(shown, true(), isouter=True)
        .join(Fan, Fan.id == shown.c.fan_id, isouter=True)
    )


@cache
def _unread() -> ColumnElement[bool]:
    # Written as the index's own condition is, or SQLite doesn't use it.
    return literal_column("conversation.unread_count > 0")
