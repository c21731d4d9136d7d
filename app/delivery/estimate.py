"""When will a message go, and why is it waiting: from the account's line in the database and its bucket."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Subquery,
    Text,
    Tuple,
    bindparam,
    cast,
    exists,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)

from app.accounts.models import Account
from app.db import BigId, UtcDateTime, moment_of
from app.delivery import heartbeat
from app.delivery.circuit_breaker import State
from app.delivery.models import Stop
from app.delivery.token_bucket import View
from app.extensions import db
from app.messages.models import Message, Status
from app.messages.queries import in_line
from app.reads import glance, read
from config import RateLimit

CALL_SECONDS = 0.3
COUNTED_MOST = 20_000
PLACE = ("priority", "due_at", "last_id")
SEVERAL = 2


class Hindrance(StrEnum):
    """Why nothing of an account moves."""

    STOPPED = "stopped"
    ACCOUNT_STOPPED = "account_stopped"
    RECONNECT = "reconnect"
    PAUSED = "paused"
    REDIS_AWAY = "redis_away"
    NO_WORKER = "no_worker"
    PLATFORM_AWAY = "platform_away"
    ACCOUNT_AWAY = "account_away"


WORDS = {
    Hindrance.STOPPED: "Sending is stopped for everybody: messages are kept until it is switched on again",
    Hindrance.ACCOUNT_STOPPED: "Sending is stopped for this account: messages are kept",
    Hindrance.RECONNECT: "The account must be connected again",
    Hindrance.PAUSED: "The platform asked this account to pause",
    Hindrance.REDIS_AWAY: "The part that keeps the limit (Redis) can't be reached: nothing is sent until it is back",
    Hindrance.NO_WORKER: "No worker is running: messages are kept until one starts",
    Hindrance.PLATFORM_AWAY: "The platform doesn't answer; it is tried again by itself",
    Hindrance.ACCOUNT_AWAY: "The platform doesn't answer for this account; it is tried again by itself",
}


@dataclass(frozen=True, slots=True)
class Wait:
    """What a person wants to know: `place` in line (1: next), the expected time, or the reason why nothing moves."""

    place: int
    expected_at: datetime | None
    reason: str | None


def slot_after(used: Sequence[float], last_start: float, place: int, limit: RateLimit) -> float:
    """Seconds until the `place`-th call from now can start.

    `used`: seconds until each used slot comes back; `last_start`: seconds since the account's last call started.
    """
    back = sorted(seconds for seconds in used if seconds > 0)
    start = -last_start
    for _ in range(place):
        slot_free = back.pop(0) if len(back) >= limit.messages else 0.0
        start = max(start + limit.min_gap, slot_free)
        insort(back, start + limit.window + CALL_SECONDS)
    return start


def calls_until_done(account_id: int, campaign_id: int) -> int:
    """How many calls of the account it takes until the last of the campaign's queued messages has gone; 0: none is."""
    place = (Message.priority, Message.due_at, Message.id)
    queued = select(*place).where(*in_line(account_id), Message.campaign_id == campaign_id)
    last = db.session.execute(queued.order_by(*(column.desc() for column in place)).limit(1)).one_or_none()
    return 0 if last is None else _calls(account_id, tuple_(*place) <= _literal(last.priority, last.due_at, last.id))


def calls_before(account_id: int, priority: int) -> int:
    """How many messages of the account go before one of this priority that is written now."""
    return _calls(account_id, Message.priority <= priority)


def _calls(account_id: int, condition: ColumnElement[bool]) -> int:
    return db.session.execute(
        select(func.count()).select_from(Message).where(*in_line(account_id), condition)
    ).scalar_one()


def _literal(priority: int, due_at: datetime, message_id: int) -> Tuple:
    return tuple_(literal(priority), literal(due_at, UtcDateTime), literal(message_id))


@dataclass(frozen=True, slots=True)
class Situation:
    """What may hinder an account, and how its line stands.

    `places`: message id → how many calls of the account come first, and its own (1 is next).
    """

    stopped_at: datetime | None
    reconnect_since: datetime | None
    pause_reason: str | None
    paused_until: datetime | None
    stop: bool
    worker: bool
    places: dict[int, int]


def situation(account_id: int, messages: Sequence[Message] = ()) -> Situation:
    """How an account stands, with the places of those of `messages` that are queued: one query."""
    values: dict[str, object] = {"account": account_id, "since": heartbeat.fresh_since()}
    wanted = [message for message in messages if message.status == Status.QUEUED]
    if wanted:
        last = max((message.priority, message.due_at, message.id) for message in wanted)
        values |= dict(zip(PLACE, last, strict=True)) | {"wanted": [message.id for message in wanted]}
    rows: Sequence[Any] = (read if len(wanted) > 1 else glance)(_situation(min(len(wanted), SEVERAL)), values)
    first: tuple[Any, ...] = rows[0]
    stopped_at, reconnect_since, reason, paused_until, stop, worker = first[:6]
    return Situation(
        stopped_at=_moment(stopped_at),
        reconnect_since=_moment(reconnect_since),
        pause_reason=reason,
        paused_until=_moment(paused_until),
        stop=bool(stop),
        worker=bool(worker),
        places={row[6]: row[7] for row in rows if wanted and row[6] is not None},
    )


def _moment(text: str | None) -> datetime | None:
    return moment_of(text) if text else None


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _situation(wanted: int) -> Select[Any]:
    """With the places of none, of one or of SEVERAL messages; numbers and texts alone, for `glance`."""
    columns: tuple[Any, ...] = (
        cast(Account.stopped_at, Text),
        cast(Account.reconnect_since, Text),
        Account.pause_reason,
        cast(Account.paused_until, Text),
        cast(exists().where(Stop.id > 0), Integer),
        cast(heartbeat.is_alive("delivery", bindparam("since", type_=UtcDateTime)), Integer),
    )
    query: Select[Any] = select(*columns).where(Account.id == bindparam("account", type_=BigId))
    if not wanted:
        return query
    line = _line()
    last, all_of_them = bindparam("last_id", type_=BigId), bindparam("wanted", type_=BigId, expanding=True)
    these = line.c.id == last if wanted == 1 else line.c.id.in_(all_of_them)
    return query.add_columns(line.c.id, line.c.place).join(line, these, isouter=True)


def _line() -> Subquery:
    """The account's line, up to the last one that is asked for: thousands may stand behind them."""
    order = (Message.priority, Message.due_at, Message.id)
    last = tuple_(*(bindparam(name, type_=column.type) for name, column in zip(PLACE, order, strict=True)))
    return (
        select(Message.id, type_coerce(func.row_number().over(order_by=order), BigId).label("place"))
        .where(*in_line(bindparam("account", type_=BigId)), tuple_(*order) <= last)
        .order_by(*order)
        .limit(COUNTED_MOST)
        .subquery()
    )


def hindrance(
    account: Situation | Row[Any] | Account, view: View | None, now: datetime, enabled: bool, worker_alive: bool
) -> Hindrance | None:
    """What keeps all messages of this account from moving, or None when they do."""
    found = (
        (Hindrance.STOPPED, not enabled),
        (Hindrance.ACCOUNT_STOPPED, account.stopped_at is not None),
        (Hindrance.RECONNECT, account.reconnect_since is not None),
        (Hindrance.PAUSED, account.paused_until is not None and account.paused_until > now),
        (Hindrance.REDIS_AWAY, view is None),
        (Hindrance.NO_WORKER, not worker_alive),
        (Hindrance.PLATFORM_AWAY, view is not None and view.platform_breaker.state is not State.CLOSED),
        (Hindrance.ACCOUNT_AWAY, view is not None and view.breaker.state is not State.CLOSED),
    )
    return next((one for one, holds in found if holds), None)


def standstill(
    account: Situation | Row[Any] | Account, view: View | None, now: datetime, enabled: bool, worker_alive: bool
) -> str | None:
    """Why nothing of this account moves, in plain words, or None when it does."""
    found = hindrance(account, view, now, enabled, worker_alive)
    if found is None:
        return None
    return (account.pause_reason if found is Hindrance.RECONNECT else None) or WORDS[found]


def expected_at(view: View, place: int, limit: RateLimit, now: datetime) -> datetime:
    """When the `place`-th call from now starts."""
    used = [(back - view.now_ms) / 1000 for back in view.back_ms]
    held = max(0.0, (view.hold_ms - view.now_ms) / 1000)
    seconds = max(held, slot_after(used, (view.now_ms - view.start_ms) / 1000, place, limit))
    return now + timedelta(seconds=seconds)


def finished_at(
    view: View, calls: int, limit: RateLimit, now: datetime, later: int = 0, due: datetime | None = None
) -> datetime:
    """When `calls` calls from now, and then `later` more that begin to be `due` then, have been made."""
    end = max(now, expected_at(view, calls + later, limit, now))
    if due is not None and later:
        end = max(end, due + timedelta(seconds=slot_after([], limit.window, later, limit)))
    return end + timedelta(seconds=CALL_SECONDS)
