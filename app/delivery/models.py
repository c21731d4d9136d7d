"""What delivery keeps in the database: the emergency stop and the workers' heartbeats."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime
from app.extensions import Model


class Stop(Model):
    """The emergency stop for everybody: while its one row exists, nothing is sent."""

    __tablename__ = "stop"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class WorkerHeartbeat(Model):
    """When a worker process was last seen alive, by the database's clock."""

    __tablename__ = "worker_heartbeat"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
