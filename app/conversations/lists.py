"""Pages of conversations for the JSON door, with their totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)

from app.accounts import queries as accounts
from app.accounts.models import Account
from app.accounts.tokens import Proof, lasts
from app.conversations.models import Conversation
from app.conversations.queries import NEWEST_FIRST
from app.db import BigId, Joined, Written
from app.extensions import db
from app.fans.models import Fan
from app.reads import glance, read

COLON = literal_column("':'", Text)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations; `search` looks into names and handles."""

    account_id: int | None = None
    unread: bool = False
    search: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Conversations with what is shown of their fans, newest first; `total` counts all that match.

    A row is: id, account's, its owner's, fan's, time and text of the last message, how many are unread, the fan's
    name, handle and avatar, the total.
    """

    rows: Sequence[Row[Any]]
    total: int


def page(proof: Proof, wanted: Filter, limit: int, offset: int) -> Page:
    """One page in one query for one account, in two for several (one more beyond the end).

    Raises NotFound for an account that isn't theirs.
    """
    values = proof.values() | {"account": wanted.account_id, "limit": limit, "offset": offset}
    for several in (False,) if wanted.account_id is not None else (False, True):
        by_account = several and db.engine.dialect.name == "postgresql"
        matching = _Matching(several, wanted.account_id is not None, wanted.unread, wanted.search, by_account)
        if rows := read(_page(matching), values):
            return Page(rows, rows[0].total)
    if wanted.account_id is not None:
        accounts.owners(proof.viewer, wanted.account_id)
    return Page([], read(_total(matching), values)[0][0] if offset else 0)


def state(proof: Proof, wanted: Filter, limit: int, offset: int) -> tuple[str, int] | tuple[()] | None:
    """What differs once the page would; the same query asks whether the proof holds: None when it doesn't.

    Empty where it takes more than a short look into an index: for several accounts at once, and for a search.
    """
    named = wanted.account_id is not None or bool(wanted.search)
    account_id = wanted.account_id if not wanted.search else None
    values = proof.values() | {"account": account_id, "limit": limit, "offset": offset}
    rows = glance(_state(_Matching(False, named, wanted.unread, "")), values)
    if not rows:
        return None
    shown, total = rows[0]
    return (shown, total) if shown else ()


@dataclass(frozen=True, slots=True)
class _Matching:
    """What makes a statement another one: of `several` accounts, or one, which is `named` or the only one.

    `by_account`: the newest of each account are taken from the index; by itself PostgreSQL would put all of them in
    order. SQLite doesn't know how.
    """

    several: bool
    named: bool
    unread: bool
    search: str
    by_account: bool = False

    def ids(self) -> Select[int]:
        """The ids of conversations that match."""
        if self.several:
            return self._narrowed(Conversation.account_id.in_(accounts.scope()))
        return self._narrowed(Conversation.account_id == _one_account(self.named))

    def _narrowed(self, of_account: ColumnElement[bool]) -> Select[int]:
        query = select(Conversation.id).where(of_account)
        if self.unread:
            query = query.where(_unread())
        if self.search:
            handle = Fan.handle.icontains(self.search.lstrip("@"), autoescape=True)
            query = query.join(Fan, Fan.id == Conversation.fan_id)
            query = query.where(Fan.name.icontains(self.search, autoescape=True) | handle)
        return query

    def newest(self, *further: ColumnElement[Any]) -> Subquery:
        """Those on the page, their ids and `further` columns; of one account they stand in an index in this order."""
        limit, offset = bindparam("limit", type_=BigId), bindparam("offset", type_=BigId)
        if not self.by_account:
            found = self.ids().add_columns(*further)
            return found.order_by(*NEWEST_FIRST).limit(limit).offset(offset).subquery()
        mine = select(Account.id).where(Account.id.in_(accounts.scope())).subquery()
        of_each = self._narrowed(Conversation.account_id == mine.c.id).add_columns(Conversation.last_message_at)
        each = of_each.correlate(mine).order_by(*NEWEST_FIRST).limit(limit + offset).lateral()
        query = select(each.c.id).select_from(mine).join(each, true())
        newest_first = (each.c.last_message_at.desc().nulls_last(), each.c.id.desc())
        return query.order_by(*newest_first).limit(limit).offset(offset).subquery()


@cache
def _one_account(named: bool) -> ScalarSelect[int]:
    """The account that is named, if it is theirs, or their only one; else none. Found once for a whole statement."""
    mine = accounts.scope().subquery()
    if named:
        found = select(mine.c.id).where(mine.c.id == bindparam("account", type_=BigId)).limit(1)
    else:
        found = select(func.min(mine.c.id).label("id")).having(func.count() == 1)
    return select(found.cte("one").c.id).scalar_subquery()


# Built once: SQLAlchemy takes longer to build them than a database to answer them.
@lru_cache(maxsize=64)
def _page(matching: _Matching) -> Select[Any]:
    shown = matching.newest()
    columns: tuple[Any, ...] = (
        Conversation.id,
        Conversation.account_id,
        Account.owner_id,
        Conversation.fan_id,
        Written(Conversation.last_message_at),
        Conversation.last_message,
        Conversation.unread_count,
        Fan.name,
        Fan.handle,
        Fan.avatar,
        _total(matching).scalar_subquery().label("total"),
    )
    return (
        select(*columns)
        .join(shown, shown.c.id == Conversation.id)
        .join(Account, Account.id == Conversation.account_id)
        .join(Fan, Fan.id == Conversation.fan_id)
        .order_by(*NEWEST_FIRST)
    )


@cache
def _state(matching: _Matching) -> Select[str | None, int]:
    # Whoever marks messages as read leaves the version as it is.
    parts = [cast(column, Text) for column in (Conversation.id, Conversation.version, Conversation.unread_count)]
    shown = matching.newest((parts[0] + COLON + parts[1] + COLON + parts[2]).label("state"))
    return select(select(Joined(shown.c.state)).scalar_subquery(), _total(matching).scalar_subquery()).where(lasts())


def _total(matching: _Matching) -> Select[int]:
    return select(func.count()).select_from(matching.ids().subquery())


@cache
def _unread() -> ColumnElement[bool]:
    # Written as the index's own condition is, or SQLite doesn't use it.
    return literal_column("conversation.unread_count > 0")
