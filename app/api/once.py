"""`Idempotency-Key`: the same request, sent again, meets what the first one made."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from flask import request
from sqlalchemy import select

from app import idempotency
from app.campaigns.models import Campaign
from app.clock import now
from app.db import transaction
from app.errors import Invalid, Problem
from app.extensions import db
from app.idempotency import IdempotencyKey
from app.messages.models import Message

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x20-\x7e]{1,255}")


T = TypeVar("T", Message, Campaign)


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What a request made; `fresh` says whether it was this very request."""

    row: T
    fresh: bool


@dataclass(frozen=True, slots=True)
class Once:
    """One request that may be sent again; without a key every time counts."""

    use: idempotency.Use | None

    def __call__(self, verb: Callable[[], T], again: Callable[[int], T]) -> Result[T]:
        """What `verb` makes, or what it made before, fetched by `again`; both in one transaction with the key."""
        with transaction():
            if self.use is None:
                return Result(verb(), fresh=True)
            kept = idempotency.claim(self.use)
            if kept.result is not None:
                return Result(again(kept.result), fresh=False)
            made = verb()
            kept.result = made.id
            return Result(made, fresh=True)


def first_used(user_id: int, endpoint: str, key: str) -> datetime | None:
    """When a request with this key was accepted, or None: sent again, it is judged by the time of the first."""
    return db.session.scalar(
        select(IdempotencyKey.created_at).where(
            IdempotencyKey.user_id == user_id,
            IdempotencyKey.endpoint == endpoint,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at >= now() - idempotency.KEPT,
        )
    )


def key() -> str | None:
    """The request's key; raises Invalid unless it is 1 to 255 printable ASCII characters."""
    given = request.headers.get(HEADER)
    if given is not None and not KEY.fullmatch(given):
        raise Invalid([Problem(HEADER, f"{HEADER} must be 1 to 255 printable ASCII characters")])
    return given
