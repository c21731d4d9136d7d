"""Payments for tests of figures."""

from datetime import UTC, datetime
from itertools import count

from app.accounts.models import Account
from app.earnings import service as earnings
from app.earnings.models import Kind
from app.earnings.service import Payment
from app.fans.models import Fan

_numbers = count(1)


def at(text: str) -> datetime:
    """`2026-03-29 01:30` → that moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pay(account: Account, text: str, gross: int, fan: Fan | None = None, kind: Kind = Kind.TIP) -> Payment:
    """Somebody pays `gross` cents at a UTC time; a fifth of it stays with the platform."""
    payment = Payment(
        platform_id=f"t{next(_numbers)}",
        type=kind,
        gross_cents=gross,
        net_cents=gross * 4 // 5,
        received_at=at(text),
        fan_id=fan.id if fan else None,
    )
    earnings.record(account.id, [payment])
    return payment
