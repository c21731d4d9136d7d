"""The import of a file, the file while it is needed, and the rows that it couldn't take."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime
from app.extensions import Model


class Status(StrEnum):
    """How far an import is."""

    DRAFT = "draft"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class Import(Model):
    """One file of fans for one account.

    `layout` and `preview` are what reader.survey() found. `rows_done` is where a worker goes on, whatever happened;
    it moves in the same transaction as the rows themselves. `working_until`: somebody is at it; `queued_at`: when it
    was last handed to the background; `claims`: how often it was begun since it last moved.
    """

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'processing', 'completed', 'failed')", name="status"),
        Index(None, "account_id", "id"),
        Index(None, "status", "queued_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    file_name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column()
    status: Mapped[str] = mapped_column(String(10), default=Status.DRAFT)
    layout: Mapped[dict[str, Any]] = mapped_column(JSON)
    preview: Mapped[dict[str, Any]] = mapped_column(JSON)
    total_rows: Mapped[int] = mapped_column()
    rows_done: Mapped[int] = mapped_column(default=0)
    inserted: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    faults: Mapped[int] = mapped_column(default=0)
    claims: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    working_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportFile(Model):
    """The bytes of an import that isn't done."""

    __tablename__ = "import_file"

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RejectedRow(Model):
    """A row that wasn't taken: `faults` are `[field, what is wrong]`, `cells` as they stood on `line` of the file."""

    __tablename__ = "rejected_row"
    __table_args__ = (UniqueConstraint("import_id", "line"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id", ondelete="CASCADE"))
    line: Mapped[int] = mapped_column()
    faults: Mapped[list[list[str]]] = mapped_column(JSON)
    cells: Mapped[list[str]] = mapped_column(JSON)
