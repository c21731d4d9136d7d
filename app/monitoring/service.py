"""Keeping the traffic counted: the newest five minutes again and again, whatever is missing once; may be repeated."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Account
from app.db import database_now, transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Attempt, Message, Outcome
from app.monitoring.histogram import step_of
from app.monitoring.models import Traffic

BUCKET = timedelta(minutes=5)
# What ended just before a bucket's end may be committed a little after it.
LATE = timedelta(minutes=1)
COUNTED_BACK, KEPT = timedelta(hours=24), timedelta(hours=48)
AT_ONCE = timedelta(hours=1)
ACCOUNTS_AT_ONCE = 500
ROWS_AT_ONCE = 2000


@dataclass(slots=True)
class _Counts:
    """A row of the table while it is counted."""

    sent: int = 0
    failed: int = 0
    attempts: int = 0
    errors: int = 0
    latencies: Counter[int] = field(default_factory=Counter)


Counted = defaultdict[tuple[int, datetime], _Counts]


def bucket_of(moment: datetime) -> datetime:
    """The beginning of the five minutes that hold `moment`."""
    return moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)


def roll_up() -> int:
    """Count what isn't counted yet, at most a day back; how many buckets. Drops what is too old to be shown."""
    with transaction():
        now = database_now()
        newest = db.session.scalar(select(func.max(Traffic.begins_at)).where(Traffic.scope == Traffic.EVERYBODY))
    furthest = bucket_of(now - COUNTED_BACK)
    start = furthest if newest is None else max(furthest, min(newest, bucket_of(now - LATE)))
    end, counted = bucket_of(now) + BUCKET, 0
    while start < end:
        until = min(start + AT_ONCE, end)
        counted += _count(start, until)
        start = until
    return counted


def _count(start: datetime, end: datetime) -> int:
    try:
        with transaction():
            found = _gather(start, end)
            old = Traffic.begins_at < end - KEPT
            db.session.execute(delete(Traffic).where(old | Traffic.begins_at.between(start, end - BUCKET)))
            rows = [_row(scope, begins_at, counts) for (scope, begins_at), counts in found.items()]
            db.session.execute(insert(Traffic), rows)
    except IntegrityError:
        # Another worker counted the same five minutes at the same moment; its numbers are as good.
        return 0
    return (end - start) // BUCKET


def _row(scope: int, begins_at: datetime, counts: _Counts) -> dict[str, object]:
    return {
        "scope": scope,
        "begins_at": begins_at,
        "sent": counts.sent,
        "failed": counts.failed,
        "attempts": counts.attempts,
        "errors": counts.errors,
        "latencies": {str(step): many for step, many in counts.latencies.items()},
    }


def _gather(start: datetime, end: datetime) -> Counted:
    """Everything that ended from `start` to before `end`; each bucket has its row about everybody."""
    found: Counted = defaultdict(_Counts)
    for place in range((end - start) // BUCKET):
        found[Traffic.EVERYBODY, start + place * BUCKET] = _Counts()
    account_ids = list(db.session.scalars(select(Account.id)))
    for row in _in_stretches(account_ids, _sent(start, end)):
        step = step_of((row.sent_at - row.queued_at).total_seconds() * 1000) if row.queued_at else None
        for counts in _of(found, row.account_id, row.sent_at):
            counts.sent += 1
            counts.latencies.update([step] if step is not None else [])
    for row in _in_stretches(account_ids, _failed(start, end)):
        for counts in _of(found, row.account_id, row.failed_at):
            counts.failed += 1
    for row in _rows(_attempts(start, end)):
        for counts in _of(found, row.account_id, row.finished_at):
            counts.attempts += 1
            counts.errors += _is_error(row)
    return found


def _of(found: Counted, account_id: int, moment: datetime) -> tuple[_Counts, _Counts]:
    begins_at = bucket_of(moment)
    return found[account_id, begins_at], found[Traffic.EVERYBODY, begins_at]


def _is_error(attempt: Row[Any]) -> bool:
    unreachable = attempt.status_code == 400 and attempt.unreachable_at is not None
    return attempt.outcome != Outcome.DELIVERED and not unreachable


def _in_stretches(account_ids: Sequence[int], query: Select[Any]) -> Iterator[Row[Any]]:
    # The indexes begin with the account.
    for place in range(0, len(account_ids), ACCOUNTS_AT_ONCE):
        yield from _rows(query.where(Message.account_id.in_(account_ids[place : place + ACCOUNTS_AT_ONCE])))


def _rows(query: Select[Any]) -> Iterator[Row[Any]]:
    yield from db.session.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


# The states are written as the indexes' own conditions are, or SQLite doesn't use them.
def _sent(start: datetime, end: datetime) -> Select[Any]:
    columns: tuple[Any, ...] = (Message.account_id, Message.queued_at, Message.sent_at)
    return select(*columns).where(
        literal_column("message.status = 'sent'"), Message.sent_at >= start, Message.sent_at < end
    )


def _failed(start: datetime, end: datetime) -> Select[Any]:
    columns: tuple[Any, ...] = (Message.account_id, Message.failed_at)
    return select(*columns).where(
        literal_column("message.status = 'failed'"), Message.failed_at >= start, Message.failed_at < end
    )


def _attempts(start: datetime, end: datetime) -> Select[Any]:
    columns: tuple[Any, ...] = (Attempt.account_id, Attempt.finished_at, Attempt.outcome, Attempt.status_code)
    return (
        select(*columns, Fan.unreachable_at)
        .join(Fan, Fan.id == Attempt.fan_id)
        .where(Attempt.finished_at >= start, Attempt.finished_at < end, Attempt.outcome != Outcome.NOT_SENT)
    )
