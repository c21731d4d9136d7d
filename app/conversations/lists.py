"""Pages of conversations for the JSON door, with their totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, Select, bindparam, func, literal_column, select

from app.accounts import queries as accounts
from app.accounts.models import User
from app.conversations.models import Conversation
from app.conversations.queries import NEWEST_FIRST
from app.db import Written, read
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


def page(viewer: User, wanted: Filter, limit: int, offset: int) -> Page:
    """One page in two queries (one more beyond the end); raises NotFound for an account that isn't the viewer's."""
    owners = accounts.owners(viewer, wanted.account_id)
    values = {"accounts": list(owners), "limit": limit, "offset": offset}
    rows = read(_page(wanted.unread, wanted.search), values) if owners else []
    if rows or not offset or not owners:
        return Page(rows, owners, rows[0].total if rows else 0)
    return Page(rows, owners, read(_total(wanted.unread, wanted.search), values)[0][0])


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
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
def _unread() -> ColumnElement[bool]:
    # Written as the index's own condition is, or SQLite doesn't use it.
    return literal_column("conversation.unread_count > 0")
