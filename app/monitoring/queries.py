"""What the operations page shows beside the lanes: what waits in all, and the traffic of the last hours."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select, union_all

from app.accounts import queries as accounts
from app.accounts.models import Account, Role, User
from app.db import database_now
from app.extensions import db
from app.messages.models import Message
from app.messages.queries import in_line
from app.monitoring.histogram import percentile
from app.monitoring.lanes import oldest_due, watched
from app.monitoring.models import Traffic
from app.monitoring.service import BUCKET, bucket_of

COUNTED = 10_000
PERCENTILES = (0.5, 0.95, 0.99)
SUMS = (Traffic.sent, Traffic.failed, Traffic.attempts, Traffic.errors)
# Hours → minutes of a step: what fits beside each other on a chart.
STEPS = {1: 5, 6: 10, 24: 30}


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages in line, counted up to COUNTED, and when the oldest of them was due."""

    waiting: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Point:
    """What ended in one step. `latency`: ms from queued to sent at each of PERCENTILES, None without any."""

    begins_at: datetime
    sent: int
    failed: int
    attempts: int
    errors: int
    latency: tuple[float | None, ...]

    @property
    def error_rate(self) -> float | None:
        """The share of attempts that failed, None without any."""
        return self.errors / self.attempts if self.attempts else None


def backlog(viewer: User) -> Backlog:
    """What waits in all of the viewer's lanes; the cost grows with the accounts, not with the messages."""
    lines = select(Message.id).join(Account, Account.id == Message.account_id)
    lines = lines.where(in_line(Account.id)[1], watched(viewer)).limit(COUNTED)
    waiting = db.session.execute(select(func.count()).select_from(lines.subquery())).scalar_one()
    dues = union_all(*(select(due.label("due")).where(watched(viewer)) for due in oldest_due())).subquery()
    return Backlog(waiting, db.session.scalar(select(func.min(dues.c.due))) if waiting else None)


def traffic(viewer: User, hours: int) -> list[Point]:
    """The last `hours` (one of STEPS), step by step, of all of the viewer's accounts; the last step still runs."""
    step = timedelta(minutes=STEPS[hours])
    end = bucket_of(database_now()) + BUCKET
    start = end - timedelta(hours=hours)
    rows: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in _rows(_scopes(viewer), start):
        rows[(row.begins_at - start) // step].append(row)
    return [_point(start + place * step, rows[place]) for place in range(timedelta(hours=hours) // step)]


def _scopes(viewer: User) -> list[int]:
    return [Traffic.EVERYBODY] if viewer.role == Role.OPERATOR else list(accounts.owners(accounts.scope_of(viewer)))


def _rows(scopes: Sequence[int], start: datetime) -> Sequence[Row[Any]]:
    columns: tuple[Any, ...] = (Traffic.begins_at, *SUMS, Traffic.latencies)
    query: Select[Any] = select(*columns).where(Traffic.scope.in_(scopes), Traffic.begins_at >= start)
    return db.session.execute(query).all()


def _point(begins_at: datetime, rows: Sequence[Row[Any]]) -> Point:
    latencies = Counter[int]()
    for row in rows:
        latencies.update({int(step): many for step, many in row.latencies.items()})
    sums = {column.key: sum(row._mapping[column.key] for row in rows) for column in SUMS}
    return Point(begins_at, latency=tuple(percentile(latencies, share) for share in PERCENTILES), **sums)
