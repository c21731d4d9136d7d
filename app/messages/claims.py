"""Who works on a message: the next of each line (line.py) is claimed by a conditional update on the database clock."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, Table, bindparam, or_, update

from app.conversations import service as conversations
from app.db import database_now, transaction
from app.extensions import db
from app.messages.line import CHORES_QUERY, NEXT_QUERY, WAITING_QUERY
from app.messages.models import Attempt, Message, Status, Step

LEASE = timedelta(seconds=60)
CHORE_LEASE = timedelta(seconds=80)

# What runs for every message is spelled in Core: the ORM's own bookkeeping would cost more than the statement.
_messages = cast(Table, Message.__table__)
TAKE = (
    _messages.update()
    .where(_messages.c.id.in_(bindparam("ids", expanding=True)), _messages.c.status == Status.QUEUED)
    # Between the look and the claim, somebody else may have had the row and put it back in another state.
    .where(_messages.c.next_step == Step.SEND, ~_messages.c.held)
    .where(or_(_messages.c.next_attempt_at.is_(None), _messages.c.next_attempt_at <= bindparam("now")))
    .values(
        status=Status.SENDING,
        claim_id=bindparam("claim"),
        lease_until=bindparam("lease"),
        claims=_messages.c.claims + 1,
        attempts=_messages.c.attempts + 1,
    )
    .returning(_messages.c.id, _messages.c.attempts, _messages.c.key_generation, _messages.c.first_unclear_at)
)
BEGIN_ATTEMPT = cast(Table, Attempt.__table__).insert()


@dataclass(frozen=True, slots=True)
class Envelope:
    """A claimed message with all that its next step needs, so that no database is asked while the platform is.

    `refused_before`: the account's login was refused since its last message arrived. `ready_at`: since when it waits
    for this step.
    """

    message_id: int
    public_id: str
    account_id: int
    conversation_id: int
    fan_id: int
    campaign_id: int | None
    claim_id: str
    step: str
    platform_account: str
    api_key_encrypted: str | None
    chat: str
    text: str
    price_cents: int
    attachments: list[dict[str, str]]
    media_ids: list[int | str]
    attempts: int
    key_generation: int
    first_unclear_at: datetime | None
    unreadable_since: datetime | None
    claimed_at: datetime
    chat_unread: bool = False
    refused_before: bool = False
    queued_at: datetime | None = None
    ready_at: datetime | None = None

    @property
    def key(self) -> str:
        """The platform's Idempotency-Key: the message's id, and a number once an answer had to be left behind."""
        return self.public_id if self.key_generation == 0 else f"{self.public_id}-{self.key_generation}"


@dataclass(frozen=True, slots=True)
class Idle:
    """Why an account had nothing to claim: seconds until its next attempt is due; whether rows wait behind others."""

    account_id: int
    delay: float | None
    blocked: bool


def claim_next(account_ids: Sequence[int]) -> tuple[list[Envelope], list[Idle]]:
    """Claim the next message of each account for one call; its attempt is written before it is made.

    Accounts that have nothing to send now come back as idle; those where somebody else was first, as neither.
    """
    if not account_ids:
        return [], []
    claim_id = secrets.token_hex(8)
    with transaction():
        now = database_now()
        rows = db.session.execute(NEXT_QUERY, {"now": now, "accounts": list(account_ids)}).all()
        claimed = _take([row.id for row in rows], claim_id, now)
        envelopes = [_envelope(row, claim_id, now, **claimed[row.id]) for row in rows if row.id in claimed]
        if envelopes:
            db.session.connection().execute(BEGIN_ATTEMPT, [_attempt(envelope) for envelope in envelopes])
            conversations.changed([envelope.conversation_id for envelope in envelopes])
        idle = _idle(set(account_ids) - {row.account_id for row in rows}, now)
    return envelopes, idle


def claim_chores(most: int) -> list[Envelope]:
    """Claim up to `most` uploads and look-ups that are due, one an account at a time."""
    claim_id = secrets.token_hex(8)
    with transaction():
        now = database_now()
        rows = db.session.execute(CHORES_QUERY, {"now": now, "most": most}).all()
        if not rows:
            return []
        claimed = set(
            db.session.scalars(
                update(Message)
                .where(
                    Message.id.in_([row.id for row in rows]),
                    Message.status == Status.QUEUED,
                    Message.next_step != Step.SEND,
                )
                .where(Message.lease_until.is_(None) | (Message.lease_until <= now))
                .values(claim_id=claim_id, lease_until=now + CHORE_LEASE, claims=Message.claims + 1)
                .returning(Message.id)
            )
        )
        return [_chore(row, claim_id, now) for row in rows if row.id in claimed]


def put_off(envelopes: Sequence[Envelope], seconds: float) -> None:
    """Hand claimed chores back untouched, to be looked at in `seconds`: they couldn't be begun now."""
    if not envelopes:
        return
    with transaction():
        db.session.execute(
            update(Message)
            .where(Message.id.in_([envelope.message_id for envelope in envelopes]))
            .where(Message.claim_id == envelopes[0].claim_id)
            .values(
                claim_id=None,
                lease_until=None,
                claims=Message.claims - 1,
                next_attempt_at=database_now() + timedelta(seconds=seconds),
            )
        )


def _take(ids: list[int], claim_id: str, now: datetime) -> dict[int, dict[str, Any]]:
    """Claim these rows: id → what they say now of attempts, key and first unclear end; only those still free."""
    if not ids:
        return {}
    claim = {"ids": ids, "claim": claim_id, "lease": now + LEASE, "now": now}
    taken = db.session.connection().execute(TAKE, claim).mappings()
    return {row["id"]: {name: row[name] for name in row if name != "id"} for row in taken}


def _idle(account_ids: set[int], now: datetime) -> list[Idle]:
    if not account_ids:
        return []
    found = {
        row.account_id: row for row in db.session.execute(WAITING_QUERY, {"now": now, "accounts": list(account_ids)})
    }
    idle = []
    for account_id in account_ids:
        row = found.get(account_id)
        due = row.next_attempt_at if row else None
        delay = max(0.0, (due - now).total_seconds()) if due else None
        idle.append(Idle(account_id, delay, blocked=row is not None))
    return idle


def _chore(row: Row[tuple[object, ...]], claim_id: str, now: datetime) -> Envelope:
    return _envelope(
        row,
        claim_id,
        now,
        attempts=row.attempts,
        key_generation=row.key_generation,
        first_unclear_at=row.first_unclear_at,
        chat_unread=row.unread_count > 0,
    )


def _envelope(row: Row[tuple[object, ...]], claim_id: str, now: datetime, **claimed: Any) -> Envelope:
    """`claimed`: what the claim itself says, where the look before it may be older."""
    return Envelope(
        message_id=row.id,
        public_id=row.public_id,
        account_id=row.account_id,
        conversation_id=row.conversation_id,
        fan_id=row.fan_id,
        campaign_id=row.campaign_id,
        claim_id=claim_id,
        step=row.next_step,
        platform_account=row.platform_account,
        api_key_encrypted=row.api_key_encrypted,
        chat=row.chat,
        text=row.text,
        price_cents=row.price_cents,
        attachments=row.attachments,
        media_ids=row.media_ids,
        unreadable_since=row.unreadable_since,
        claimed_at=now,
        refused_before=row.probes > 0,
        queued_at=row.queued_at,
        ready_at=row.next_attempt_at or row.queued_at,
        **claimed,
    )


def _attempt(envelope: Envelope) -> dict[str, object]:
    return {
        "message_id": envelope.message_id,
        "account_id": envelope.account_id,
        "fan_id": envelope.fan_id,
        "claim_id": envelope.claim_id,
        "key": envelope.key,
        "started_at": envelope.claimed_at,
    }
