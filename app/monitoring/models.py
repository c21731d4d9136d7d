"""What went out lately, counted: what the charts of the operations page are drawn from."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import BigId, UtcDateTime
from app.extensions import Model


class Traffic(Model):
    """Five minutes of one account, or of all of them.

    `scope` is the account's id, or `EVERYBODY`; `attempts` are calls whose end says something, `errors` those of them
    that failed, for other reasons than a fan who can't be reached. `latencies`: step of a histogram → messages.
    """

    __tablename__ = "traffic"
    __table_args__ = (UniqueConstraint("scope", "begins_at"), Index(None, "begins_at"))

    EVERYBODY = 0

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    scope: Mapped[int] = mapped_column(BigInteger)
    begins_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent: Mapped[int]
    failed: Mapped[int]
    attempts: Mapped[int]
    errors: Mapped[int]
    latencies: Mapped[dict[str, int]] = mapped_column(JSON)
