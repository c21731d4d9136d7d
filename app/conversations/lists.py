"""Pages of conversations for the JSON door, with their totals."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import contains_eager

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.conversations.models import Conversation
from app.conversations.queries import NEWEST_FIRST
from app.extensions import db
from app.fans.models import Fan


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations; `search` looks into names and handles."""

    account_id: int | None = None
    unread: bool = False
    search: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Conversations with their fans, each with its account's owner, newest first; `total` counts all that match."""

    rows: list[tuple[Conversation, int]]
    total: int


def page(viewer: User, wanted: Filter, limit: int, offset: int) -> Page:
    """One page in two queries; raises NotFound for an account that isn't the viewer's."""
    where = _conditions(viewer, wanted)
    counted = select(func.count()).select_from(Conversation)
    if wanted.search:
        counted = counted.join(Fan, Fan.id == Conversation.fan_id)
    total = db.session.execute(counted.where(*where)).scalar_one()
    if total == 0 and wanted.account_id is not None:
        accounts.account(viewer, wanted.account_id)
    query = (
        select(Conversation, Account.owner_id)
        .join(Conversation.fan)
        .join(Account, Account.id == Conversation.account_id)
        .options(contains_eager(Conversation.fan))
        .where(*where)
        .order_by(*NEWEST_FIRST)
        .limit(limit)
        .offset(offset)
    )
    rows = db.session.execute(query).all() if total > offset else []
    return Page([(row.Conversation, row.owner_id) for row in rows], total)


def _conditions(viewer: User, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Conversation.account_id.in_(accounts.visible_ids(viewer))]
    if wanted.account_id is not None:
        found.append(Conversation.account_id == wanted.account_id)
    if wanted.unread:
        found.append(Conversation.unread_count > 0)
    if wanted.search:
        handle = Fan.handle.icontains(wanted.search.lstrip("@"), autoescape=True)
        found.append(Fan.name.icontains(wanted.search, autoescape=True) | handle)
    return found
