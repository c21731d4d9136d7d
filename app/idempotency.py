"""Keys of our own API: the same key and body within 24 h have one effect; stored in the verb's transaction."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import now
from app.db import BigId, UtcDateTime, insert_unless_there, transaction
from app.errors import KeyReused
from app.extensions import Model, db

KEPT = timedelta(hours=24)


class IdempotencyKey(Model):
    """A key that was used: `result` is the id of what it made (a message or a campaign)."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("user_id", "endpoint", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    endpoint: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(255))
    body_hash: Mapped[str] = mapped_column(String(64))
    result: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a key: by whom, where, and the bytes that it came with."""

    user_id: int
    endpoint: str
    key: str
    body: bytes


def claim(use: Use) -> IdempotencyKey:
    """The key's row, inserted in the caller's transaction: with a `result` the work was done before.

    A parallel request with the same key waits here until the first has committed.
    Raises KeyReused when the key came with another body.
    """
    digest = hashlib.sha256(use.body).hexdigest()
    same_key = (
        (IdempotencyKey.user_id == use.user_id)
        & (IdempotencyKey.endpoint == use.endpoint)
        & (IdempotencyKey.key == use.key)
    )
    with transaction():
        db.session.execute(delete(IdempotencyKey).where(same_key, IdempotencyKey.created_at < now() - KEPT))
        insert_unless_there(
            IdempotencyKey,
            [{"user_id": use.user_id, "endpoint": use.endpoint, "key": use.key, "body_hash": digest}],
        )
        row = db.session.scalars(select(IdempotencyKey).where(same_key)).one()
        if row.body_hash != digest:
            raise KeyReused("This Idempotency-Key was used before with another body")
        return row


def forget_old() -> None:
    """Drop the keys that are older than 24 h."""
    with transaction():
        db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT))
