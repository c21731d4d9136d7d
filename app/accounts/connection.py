"""Whether an account may call the platform: pauses, refused logins, and the key that it calls with."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import ColumnElement, false, or_, select, update

from app.accounts.models import Account
from app.db import database_now, transaction
from app.extensions import db

PROBE_FIRST, PROBE_MOST = 30, 900
PROBES_AT_ONCE = 50
FINGERPRINT_END = "."


@dataclass(frozen=True, slots=True)
class Probe:
    """An account whose login was refused and that may be tried again now."""

    account_id: int
    platform_id: str
    api_key_encrypted: str | None


class KeyUnreadable(Exception):
    """A stored platform key can't be decrypted; the text is for people."""


class Keys:
    """The platform keys at rest: encrypted with the deployment's key; accounts without one use the deployment's own.

    What is stored is `<fingerprint>.<ciphertext>`: a ciphertext is another one each time, the fingerprint tells which
    accounts share a key.
    """

    def __init__(self, encryption_key: str, deployment_key: str | None) -> None:
        self.fernet = Fernet(encryption_key.encode())
        self.fingerprint_key = hashlib.sha256(b"fingerprint:" + encryption_key.encode()).digest()
        self.deployment_key = deployment_key or ""

    def encrypt(self, api_key: str) -> str:
        """What is stored for a key."""
        fingerprint = hmac.new(self.fingerprint_key, api_key.encode(), hashlib.sha256).hexdigest()[:32]
        return f"{fingerprint}{FINGERPRINT_END}{self.fernet.encrypt(api_key.encode()).decode()}"

    def decrypt(self, stored: str | None) -> str:
        """The key to call with; raises KeyUnreadable when it was encrypted with another ENCRYPTION_KEY."""
        if not stored:
            return self.deployment_key
        try:
            return self.fernet.decrypt(stored.rpartition(FINGERPRINT_END)[2].encode()).decode()
        except InvalidToken:
            raise KeyUnreadable("The account's key can't be read any more: enter it again") from None


def pause(account_id: int, seconds: float, reason: str) -> None:
    """The platform asked for a pause: until then nothing goes; a longer pause that is there stays."""
    with transaction():
        until = database_now() + timedelta(seconds=seconds)
        db.session.execute(
            update(Account)
            .where(Account.id == account_id, or_(Account.paused_until.is_(None), Account.paused_until < until))
            .values(paused_until=until, pause_reason=reason[:200])
        )


def require_reconnect(account_id: int, reason: str, *, whole_key: bool = False, probe: bool = True) -> None:
    """The platform refused the login: nothing goes until a probe or a person resumes the account.

    `whole_key`: the key itself was refused, so every account that calls with it stops. `probe`: false when only a
    person can know that the cause is gone.
    """
    with transaction():
        now = database_now()
        query = update(Account).where(Account.id == account_id)
        if whole_key:
            query = update(Account).where(_shares_key(account_id))
        db.session.execute(
            query.where(Account.reconnect_since.is_(None)).values(
                reconnect_since=now,
                pause_reason=reason[:200],
                probe_at=now + _delay() if probe else None,
                probes=Account.probes + 1,
            )
        )


def _shares_key(account_id: int) -> ColumnElement[bool]:
    """The accounts that call with this one's key, itself included."""
    stored = db.session.scalar(select(Account.api_key_encrypted).where(Account.id == account_id))
    if stored is None:
        return Account.api_key_encrypted.is_(None)
    fingerprint, end, _ = stored.partition(FINGERPRINT_END)
    same = Account.api_key_encrypted.startswith(fingerprint + end, autoescape=True) if end else false()
    return or_(Account.id == account_id, same)


def _delay(probes: int = 0) -> timedelta:
    return timedelta(seconds=min(PROBE_FIRST * 2**probes, PROBE_MOST))


def claim_probes() -> list[Probe]:
    """Accounts to be tried again now; the next try is put off before this one is made."""
    with transaction():
        now = database_now()
        due = db.session.scalars(
            select(Account)
            .where(Account.reconnect_since.is_not(None), Account.probe_at <= now)
            .order_by(Account.probe_at)
            .limit(PROBES_AT_ONCE)
        )
        probes = []
        for account in due:
            account.probe_at = now + _delay(min(account.probes, 10))
            account.probes += 1
            probes.append(Probe(account.id, account.platform_id, account.api_key_encrypted))
        return probes


def reconnected(account_ids: Sequence[int]) -> None:
    """The platform accepts these accounts' logins again."""
    with transaction():
        db.session.execute(
            update(Account)
            .where(Account.id.in_(account_ids))
            .values(reconnect_since=None, pause_reason=None, probe_at=None)
        )


def delivered(account_ids: Collection[int]) -> None:
    """Messages of these accounts arrived: a later refusal is probed soon again."""
    if not account_ids:
        return
    with transaction():
        db.session.execute(update(Account).where(Account.id.in_(account_ids), Account.probes > 0).values(probes=0))
