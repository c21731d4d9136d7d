"""The lists of what went wrong: messages that failed, and those of which nobody knows whether they arrived."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, literal_column, select, tuple_

from app.accounts import queries as accounts
from app.accounts import service as audit_log
from app.accounts.models import Account, User
from app.clock import now
from app.db import UtcDateTime, transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages import bulk, reasons
from app.messages.lists import LISTED
from app.messages.models import Message
from app.messages.reasons import Kind

COUNTED = 1000
RETRIED_AT_ONCE = 1000
Cursor = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: of one account, kind or campaign, failed in the last `hours`; None: all. `unknown`: the others."""

    unknown: bool = False
    account_id: int | None = None
    kind: Kind | None = None
    campaign_id: int | None = None
    hours: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows with their fan, account and `kind`, the newest first; `following` is where the next page begins."""

    rows: Sequence[Row[Any]]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Retried:
    """Ids of the new messages and their accounts, and how many were left out because their fan can't be reached."""

    message_ids: list[int]
    account_ids: set[int]
    left_out: int


def page(viewer: User, wanted: Wanted, after: Cursor | None, limit: int) -> Page:
    """What went wrong on the viewer's accounts and wasn't sent again, from the cursor (time, id) on."""
    place, query = _place(wanted.unknown), _told(viewer, wanted)
    if after is not None:
        query = query.where(tuple_(place, Message.id) < tuple_(literal(after[0], UtcDateTime), literal(after[1])))
    rows = db.session.execute(query.order_by(place.desc(), Message.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    return Page(shown, (shown[-1].at, shown[-1].Message.id) if len(rows) > limit else None)


def one(viewer: User, message_id: int, unknown: bool) -> Row[Any] | None:
    """One of them as `page` tells of it; None when it isn't one (any more), or isn't the viewer's."""
    return db.session.execute(_told(viewer, Wanted(unknown)).where(Message.id == message_id)).one_or_none()


def _told(viewer: User, wanted: Wanted) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Message,
        Fan.name,
        Fan.handle,
        Fan.unreachable_at,
        Account.display_name.label("account"),
        reasons.kind().label("kind"),
        _place(wanted.unknown).label("at"),
    )
    query: Select[Any] = select(*columns).join(Fan, Fan.id == Message.fan_id)
    return query.join(Account, Account.id == Message.account_id).where(*_where(viewer, wanted))


def count(viewer: User, wanted: Wanted, most: int = COUNTED) -> int:
    """How many there are, counted up to `most`."""
    some = select(Message.id).where(*_where(viewer, wanted)).limit(most).subquery()
    return db.session.execute(select(func.count()).select_from(some)).scalar_one()


def kinds(viewer: User, wanted: Wanted) -> dict[Kind, int]:
    """How many of each kind there are, whatever kind is wanted, among the COUNTED newest; the most frequent first."""
    every = Wanted(wanted.unknown, wanted.account_id, None, wanted.campaign_id, wanted.hours)
    newest = _place(wanted.unknown).desc()
    some = select(reasons.kind().label("kind")).where(*_where(viewer, every)).order_by(newest).limit(COUNTED).subquery()
    rows = db.session.execute(select(some.c.kind, func.count().label("many")).group_by(some.c.kind))
    return dict(Counter({Kind(row.kind): row.many for row in rows}).most_common())


def kinds_of(message_ids: Collection[int]) -> dict[int, Kind]:
    """Message id → the kind of its failure: for operators, who may know that much and read no word."""
    query = select(Message.id, reasons.kind().label("kind")).where(Message.id.in_(message_ids))
    return {row.id: Kind(row.kind) for row in db.session.execute(query)} if message_ids else {}


def campaign_ids(viewer: User, wanted: Wanted, most: int = 50) -> list[int]:
    """The campaigns that they are of, the newest first."""
    every = Wanted(wanted.unknown, wanted.account_id, hours=wanted.hours)
    query = select(Message.campaign_id).where(*_where(viewer, every), Message.campaign_id.is_not(None)).distinct()
    return [found for found in db.session.scalars(query.order_by(Message.campaign_id.desc()).limit(most)) if found]


def retry(viewer: User, wanted: Wanted, message_ids: Collection[int] | None = None) -> Retried:
    """Queue failed messages again as new ones: those that are wanted, or of these the named; RETRIED_AT_ONCE at most.

    Each goes at its account's pace, with the priority that it had. Those for fans who can't be reached are left out.
    """
    where = _where(viewer, wanted)
    if message_ids is not None:
        where.append(Message.id.in_(message_ids))
    with transaction():
        found = db.session.execute(
            select(Message, Fan)
            .join(Fan, Fan.id == Message.fan_id)
            .where(*where)
            .order_by(Message.id)
            .limit(RETRIED_AT_ONCE)
        ).all()
        again = [one.Message for one in found if _reachable(one.Fan)]
        new_ids = bulk.send_again(again, viewer.id)
        for account_id, many in sorted(Counter(message.account_id for message in again).items()):
            audit_log.audit("messages.retried", user=viewer, account_id=account_id, messages=many)
        return Retried(new_ids, {message.account_id for message in again}, len(found) - len(again))


def _reachable(fan: Fan) -> bool:
    return fan.unreachable_at is None and fan.removed_at is None and fan.platform_id is not None


def _place(unknown: bool) -> Any:
    return Message.created_at if unknown else Message.failed_at


def _where(viewer: User, wanted: Wanted) -> list[ColumnElement[bool]]:
    later = Message.__table__.alias("later")
    # Written as the indexes' own conditions are, or SQLite doesn't use them.
    status: ColumnElement[bool] = literal_column(f"message.status = '{'unknown' if wanted.unknown else 'failed'}'")
    resent = select(later.c.id).where(later.c.retry_of_id == Message.id).exists()
    found = [Message.account_id.in_(accounts.visible_ids(viewer)), status, ~resent]
    if wanted.account_id is not None:
        found.append(Message.account_id == wanted.account_id)
    if wanted.campaign_id is not None:
        found.append(Message.campaign_id == wanted.campaign_id)
    if wanted.unknown:
        return found
    since = timedelta(hours=wanted.hours) if wanted.hours is not None else LISTED
    found.append(Message.failed_at >= now() - since)
    return found if wanted.kind is None else [*found, reasons.kind() == wanted.kind]
