"""Claimed messages out of nothing, for tests of what is done with them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.messages.claims import Envelope
from app.messages.models import Step

CLAIMED = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
PLAIN = Envelope(
    message_id=1,
    public_id="m" * 32,
    account_id=2,
    conversation_id=3,
    fan_id=4,
    campaign_id=None,
    claim_id="c",
    step=Step.SEND,
    platform_account="acct_a",
    api_key_encrypted=None,
    chat="7",
    text="Hello & <welcome>",
    price_cents=0,
    attachments=[],
    media_ids=[],
    attempts=1,
    key_generation=0,
    first_unclear_at=None,
    unreadable_since=None,
    claimed_at=CLAIMED,
)


def envelope(**changes: Any) -> Envelope:
    """A first attempt of a plain message, with some fields changed."""
    return replace(PLAIN, **changes)
