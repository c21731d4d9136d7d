"""The workers' heartbeats: who is alive, by the database's clock."""

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, Exists, delete, exists, func, select, update

from app import clock
from app.db import database_now, insert_unless_there, transaction
from app.delivery.models import WorkerHeartbeat
from app.extensions import db

FRESH = timedelta(seconds=30)
FORGOTTEN = timedelta(days=1)
LEFT = "left"


def beat(name: str, kind: str) -> None:
    """This worker is alive."""
    with transaction():
        now = database_now()
        insert_unless_there(WorkerHeartbeat, [{"name": name, "kind": kind, "beat_at": now}])
        db.session.execute(update(WorkerHeartbeat).where(WorkerHeartbeat.name == name).values(beat_at=now, kind=kind))
        db.session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.beat_at < now - FORGOTTEN))


def leave(name: str) -> None:
    """This worker ends; when that was is remembered for a day."""
    with transaction():
        db.session.execute(update(WorkerHeartbeat).where(WorkerHeartbeat.name == name).values(kind=LEFT))


def alive(kind: str) -> int:
    """How many workers of this kind were seen in the last 30 s."""
    fresh = WorkerHeartbeat.beat_at >= database_now() - FRESH
    query = select(func.count()).select_from(WorkerHeartbeat).where(WorkerHeartbeat.kind == kind, fresh)
    return db.session.execute(query).scalar_one()


def fresh_since() -> datetime:
    """What was seen since then is alive, by this process' clock: for what people see."""
    return clock.now() - FRESH


def is_alive(kind: str, since: BindParameter[datetime]) -> Exists:
    """Whether a worker of this kind was seen since then, as a condition to be asked inside another query."""
    return exists().where(WorkerHeartbeat.kind == kind, WorkerHeartbeat.beat_at >= since)


def last(kind: str) -> datetime | None:
    """When a worker of this kind was last seen."""
    return db.session.scalar(select(func.max(WorkerHeartbeat.beat_at)).where(WorkerHeartbeat.kind == kind))


def recent(kind: str, most: int) -> list[WorkerHeartbeat]:
    """Workers of this kind that were seen within a day and didn't leave, the latest seen first."""
    query = select(WorkerHeartbeat).where(WorkerHeartbeat.kind == kind)
    return list(db.session.scalars(query.order_by(WorkerHeartbeat.beat_at.desc(), WorkerHeartbeat.name).limit(most)))


def first(kind: str) -> str | None:
    """The first by name of the workers of this kind that were seen in the last 30 s: who does what one has to do."""
    fresh = WorkerHeartbeat.beat_at >= database_now() - FRESH
    return db.session.scalar(select(func.min(WorkerHeartbeat.name)).where(WorkerHeartbeat.kind == kind, fresh))


def silence() -> timedelta | None:
    """How long no worker of any kind has been seen; None when none ever was."""
    newest = db.session.scalar(select(func.max(WorkerHeartbeat.beat_at)))
    return None if newest is None else database_now() - newest
