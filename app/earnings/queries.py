"""Reads of money received."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, tuple_

from app.accounts import queries as accounts
from app.accounts.models import User
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged

AT_ONCE = 5000


class Line(NamedTuple):
    """A payment with who paid it; the name is None when nobody knows, or the fan was taken out. Money in cents."""

    id: int
    platform_id: str
    received_at: datetime
    type: str
    fan_id: int | None
    fan_name: str | None
    fan_handle: str | None
    gross_cents: int
    net_cents: int


def lines(viewer: User, account_id: int, start: datetime, end: datetime, tag: str = "") -> Iterator[Line]:
    """The account's payments from `start` up to, not including, `end`, oldest first, read in pieces.

    With a `tag` only those of fans who have it. Raises NotFound for an account that isn't the viewer's.
    """
    accounts.account(viewer, account_id)
    return _lines(account_id, start, end, tag)


def _lines(account_id: int, start: datetime, end: datetime, tag: str) -> Iterator[Line]:
    query = (
        select(
            Transaction.id,
            Transaction.platform_id,
            Transaction.received_at,
            Transaction.type,
            Transaction.fan_id,
            Fan.name,
            Fan.handle,
            Transaction.gross_cents,
            Transaction.net_cents,
        )
        .outerjoin(Fan, Fan.id == Transaction.fan_id)
        .where(Transaction.account_id == account_id, Transaction.received_at >= start, Transaction.received_at < end)
        .order_by(Transaction.received_at, Transaction.id)
        .limit(AT_ONCE)
    )
    if tag:
        query = query.where(tagged(tag))
    after = query
    while True:
        # Without the session, which takes its time over each row.
        found = db.session.connection().execute(after).all()
        yield from map(Line._make, found)
        if len(found) < AT_ONCE:
            return
        last = found[-1]
        after = query.where(tuple_(Transaction.received_at, Transaction.id) > tuple_(last.received_at, last.id))
