"""Reads of the journal of webhooks, and of how far accounts have been read."""

from collections.abc import Collection

from sqlalchemy import func, select

from app.accounts.models import Account
from app.extensions import db
from app.inbound.models import Synchronisation, WebhookEvent

WAITING = "waiting"


def own_keys() -> list[str]:
    """The platform keys that accounts bring along, encrypted as they are stored, each once."""
    return sorted(key for key in db.session.scalars(select(Account.api_key_encrypted).distinct()) if key is not None)


def counts() -> dict[tuple[str, str], int]:
    """(event, outcome) → how many of them the journal holds; `waiting` for those that aren't over."""
    outcome = func.coalesce(WebhookEvent.outcome, WAITING)
    rows = db.session.execute(
        select(WebhookEvent.event, outcome, func.count()).group_by(WebhookEvent.event, outcome).order_by("event")
    )
    return {(event, ended): count for event, ended, count in rows}


def progress(account_ids: Collection[int]) -> dict[int, Synchronisation]:
    """Account id → how far it has been read, for those that were ever begun."""
    query = select(Synchronisation).where(Synchronisation.account_id.in_(account_ids))
    return {one.account_id: one for one in db.session.scalars(query)}
