"""The lanes: how each account's sending stands and why it waits, a page at a time, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, true
from sqlalchemy.orm import aliased

from app.accounts import queries as accounts
from app.accounts.models import Account, Role, User
from app.db import database_now
from app.delivery import estimate, heartbeat
from app.delivery.desk import Desk
from app.delivery.estimate import Hindrance
from app.delivery.token_bucket import View
from app.extensions import db
from app.messages.models import Message, Priority, Status, Step
from app.messages.queries import in_line

PAGE = 20
COUNTED = 1000
AT_ONCE = timedelta(seconds=1)


class Choice(StrEnum):
    """Which accounts to show: all, those that have messages in line, those that may not send."""

    ALL = "all"
    WAITING = "waiting"
    HELD = "held"


class Turn(StrEnum):
    """What the messages of an account wait for when nothing is wrong."""

    SLOT = "slot"
    NEXT = "next"
    ATTEMPT = "attempt"
    UPLOAD = "upload"
    LOOK_UP = "look_up"


@dataclass(frozen=True, slots=True)
class Why:
    """Why messages wait, `since` when, and `until` when, as far as anybody knows."""

    cause: Hindrance | Turn
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """An account's sending. `used`: slots of its limit that are taken, None while Redis is away; `waiting` is counted
    up to COUNTED; `why` is None when nothing waits and nothing is wrong."""

    account: Row[Any]
    used: int | None
    limit: int
    oldest_due: datetime | None
    why: Why | None

    @property
    def waiting(self) -> int:
        """How many messages are in line."""
        found: int = self.account.waiting
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some lanes, those that wait first; `counts`: choice → how many accounts it shows."""

    lanes: list[Lane]
    counts: dict[Choice, int]


def watched(viewer: User) -> ColumnElement[bool]:
    """Which accounts' sending the viewer may watch: an operator all of them, anybody else their own."""
    return true() if viewer.role == Role.OPERATOR else Account.id.in_(accounts.visible_ids(viewer))


def page(viewer: User, desk: Desk, choice: Choice = Choice.ALL, search: str = "", offset: int = 0) -> Page:
    """PAGE of the viewer's lanes from `offset` on; by name or platform id when something is searched."""
    wanted = [watched(viewer)]
    if search:
        wanted.append(or_(*(_holds(column, search) for column in (Account.display_name, Account.platform_id))))
    query = _lanes().where(*wanted, *_chosen()[choice]).limit(PAGE).offset(offset)
    rows = db.session.execute(query).all()
    return Page(_read(rows, desk), _counts(wanted))


def _holds(column: Any, search: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(search, autoescape=True)
    return found


def _chosen() -> dict[Choice, list[ColumnElement[bool]]]:
    held = or_(
        Account.stopped_at.is_not(None), Account.reconnect_since.is_not(None), Account.paused_until > database_now()
    )
    return {Choice.ALL: [], Choice.WAITING: [_waits()], Choice.HELD: [held]}


def _waits() -> ColumnElement[bool]:
    return select(Message.id).where(*in_line(Account.id)).correlate(Account).exists()


def _counts(wanted: Sequence[ColumnElement[bool]]) -> dict[Choice, int]:
    columns = [
        select(func.count()).select_from(Account).where(*wanted, *of).scalar_subquery().label(choice)
        for choice, of in _chosen().items()
    ]
    row = db.session.execute(select(*columns)).one()
    return {choice: row._mapping[choice] for choice in Choice}


def _lanes() -> Select[Any]:
    line = select(Message.id).where(*in_line(Account.id)).correlate(Account)
    head, first = aliased(Message), line.order_by(Message.priority, Message.due_at, Message.id).limit(1)
    on_the_way = select(func.count()).where(Message.account_id == Account.id, Message.status == Status.SENDING)
    columns: tuple[Any, ...] = (
        Account.id,
        Account.display_name,
        Account.platform_id,
        Account.stopped_at,
        Account.reconnect_since,
        Account.paused_until,
        Account.pause_reason,
        select(func.count()).select_from(line.limit(COUNTED).subquery()).scalar_subquery().label("waiting"),
        on_the_way.correlate(Account).scalar_subquery().label("sending"),
        head.next_step,
        head.next_attempt_at,
        *oldest_due(),
    )
    return (
        select(*columns)
        .outerjoin(head, head.id == first.scalar_subquery())
        .order_by(_waits().desc(), Account.display_name, Account.id)
    )


def oldest_due() -> list[ColumnElement[Any]]:
    """When the oldest message of each priority in an account's line was due: three looks into its index."""
    due = select(Message.due_at).where(*in_line(Account.id)).order_by(Message.due_at).limit(1).correlate(Account)
    return [due.where(Message.priority == one).scalar_subquery().label(f"due_{one.name.lower()}") for one in Priority]


def _read(rows: Sequence[Row[Any]], desk: Desk) -> list[Lane]:
    views = desk.views([row.id for row in rows])
    enabled, alive, now = desk.enabled(), heartbeat.alive("delivery") > 0, database_now()
    return [_lane(row, views.get(row.id), desk, now, enabled, alive) for row in rows]


def _lane(row: Row[Any], view: View | None, desk: Desk, now: datetime, enabled: bool, alive: bool) -> Lane:
    hindrance = estimate.hindrance(row, view, now, enabled, alive)
    why = None
    if hindrance is not None:
        why = _hindered(row, view, hindrance, now)
    elif view is not None and row.waiting:
        why = _turn(row, estimate.expected_at(view, 1, desk.limit, now), now)
    dues = [row._mapping[f"due_{one.name.lower()}"] for one in Priority]
    return Lane(
        account=row,
        used=None if view is None else min(len(view.back_ms), desk.limit.messages),
        limit=desk.limit.messages,
        oldest_due=min((due for due in dues if due is not None), default=None),
        why=why,
    )


def _hindered(row: Row[Any], view: View | None, hindrance: Hindrance, now: datetime) -> Why:
    match hindrance:
        case Hindrance.ACCOUNT_STOPPED:
            return Why(hindrance, since=row.stopped_at)
        case Hindrance.RECONNECT:
            return Why(hindrance, since=row.reconnect_since)
        case Hindrance.PAUSED:
            return Why(hindrance, until=row.paused_until)
        case Hindrance.PLATFORM_AWAY | Hindrance.ACCOUNT_AWAY if view is not None:
            breaker = view.platform_breaker if hindrance is Hindrance.PLATFORM_AWAY else view.breaker
            return Why(hindrance, since=now - timedelta(seconds=breaker.lasts))
    return Why(hindrance)


def _turn(row: Row[Any], slot_at: datetime, now: datetime) -> Why:
    """What the first in line waits for; with others behind it, these wait for the slot all the same."""
    if row.waiting == 1 and row.next_step != Step.SEND:
        return Why(Turn.UPLOAD if row.next_step == Step.UPLOAD else Turn.LOOK_UP)
    if row.waiting == 1 and row.next_attempt_at is not None and row.next_attempt_at > max(now, slot_at):
        return Why(Turn.ATTEMPT, until=row.next_attempt_at)
    return Why(Turn.NEXT) if slot_at <= now + AT_ONCE else Why(Turn.SLOT, until=slot_at)
