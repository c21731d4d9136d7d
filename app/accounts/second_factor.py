"""The second factor: codes that change every 30 s (TOTP, RFC 6238), and recovery codes that work once each."""

import hashlib
import secrets
from dataclasses import dataclass
from hmac import compare_digest

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Select, delete, func, select, update

from app.accounts.models import RecoveryCode, SecondFactor, User
from app.accounts.service import audit
from app.clock import now
from app.db import transaction
from app.errors import Conflict, Invalid, NotSignedIn, Problem
from app.extensions import db

ISSUER = "Huntaze"
STEP_SECONDS = 30
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4
WRONG_CODE = "The code is wrong, or was used before"
ON_ALREADY = "The second factor is on already"


@dataclass(frozen=True, slots=True)
class Stand:
    """Whether codes are asked for, and how many recovery codes are left."""

    on: bool
    recovery_codes: int


def stand(user: User) -> Stand:
    """How it stands for the user."""
    left = db.session.scalar(select(func.count(RecoveryCode.id)).where(RecoveryCode.user_id == user.id))
    return Stand(is_on(user), left or 0)


def is_on(user: User) -> bool:
    """Whether signing in asks this user for a code."""
    return db.session.scalar(_confirmed(user)) is not None


def begin(user: User, encryption_key: str) -> str:
    """A new secret (base32) for the user's app, which asks for nothing until `confirm`; raises Conflict when on."""
    secret = pyotp.random_base32()
    sealed = Fernet(encryption_key.encode()).encrypt(secret.encode()).decode()
    with transaction():
        if is_on(user):
            raise Conflict(ON_ALREADY)
        db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))
        db.session.add(SecondFactor(user_id=user.id, secret_encrypted=sealed))
    return secret


def pending(user: User, encryption_key: str) -> str | None:
    """The secret that was begun and not confirmed yet."""
    query = select(SecondFactor).where(SecondFactor.user_id == user.id, SecondFactor.confirmed_at.is_(None))
    found = db.session.scalar(query)
    return _secret(found, encryption_key) if found else None


def address(user: User, secret: str) -> str:
    """The `otpauth://` address that the QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)


def confirm(user: User, code: str, encryption_key: str) -> list[str]:
    """Turn it on by its first code: the recovery codes, told this once. Raises Invalid, or Conflict (none begun)."""
    with transaction():
        found = db.session.scalar(select(SecondFactor).where(SecondFactor.user_id == user.id))
        if found is None or found.confirmed_at is not None:
            raise Conflict("Begin again with a new QR code" if found is None else ON_ALREADY)
        step = _step_of(code, _secret(found, encryption_key))
        if step is None:
            raise Invalid([Problem("code", "That isn't the code of now: look at the app again")])
        found.confirmed_at, found.last_step = now(), step
        audit("second_factor.on", user=user)
        return _new_recovery_codes(user)


def turn_off(user: User) -> None:
    """Ask for no code any more; its secret and recovery codes are forgotten."""
    with transaction():
        gone = delete(SecondFactor).where(SecondFactor.user_id == user.id).returning(SecondFactor.confirmed_at)
        if db.session.scalar(gone) is not None:
            audit("second_factor.off", user=user)
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def renew_recovery_codes(user: User) -> list[str]:
    """New recovery codes instead of the old ones; raises Conflict when the second factor is off."""
    with transaction():
        if not is_on(user):
            raise Conflict("The second factor is off")
        audit("recovery_codes.renewed", user=user)
        return _new_recovery_codes(user)


def check(user: User, code: str, encryption_key: str) -> None:
    """Take a code of now or a recovery code, each only once; raises NotSignedIn."""
    with transaction():
        found = db.session.scalar(_confirmed(user))
        if found is None or not (_take(found, code, encryption_key) or _take_recovery_code(user, code)):
            raise NotSignedIn(WRONG_CODE)


def _confirmed(user: User) -> Select[SecondFactor]:
    return select(SecondFactor).where(SecondFactor.user_id == user.id, SecondFactor.confirmed_at.is_not(None))


def _take(found: SecondFactor, code: str, encryption_key: str) -> bool:
    step = _step_of(code, _secret(found, encryption_key))
    if step is None:
        return False
    # Of two requests with the same code one changes the row.
    newer = update(SecondFactor).where(SecondFactor.id == found.id, SecondFactor.last_step < step)
    return db.session.scalar(newer.values(last_step=step).returning(SecondFactor.id)) is not None


def _step_of(code: str, secret: str | None) -> int | None:
    """Which step's code it is: this one's, or a neighbour's, as clocks differ; None for none of them."""
    digits = code.replace(" ", "")
    if secret is None or not (digits.isascii() and digits.isdigit()):
        return None
    this = int(now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    return next((step for step in (this, this - 1, this + 1) if compare_digest(totp.generate_otp(step), digits)), None)


def _secret(found: SecondFactor, encryption_key: str) -> str | None:
    """None when it was encrypted with another key: recovery codes still work."""
    try:
        return Fernet(encryption_key.encode()).decrypt(found.secret_encrypted.encode()).decode()
    except InvalidToken:
        return None


def _new_recovery_codes(user: User) -> list[str]:
    codes = [
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
        for _ in range(RECOVERY_CODES)
    ]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(code)) for code in codes)
    return codes


def _take_recovery_code(user: User, code: str) -> bool:
    used = delete(RecoveryCode).where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(code))
    if db.session.scalar(used.returning(RecoveryCode.id)) is None:
        return False
    audit("recovery_code.used", user=user)
    return True


def _hash(code: str) -> str:
    letters = "".join(letter for letter in code.lower() if letter in ALPHABET)
    return hashlib.sha256(letters.encode()).hexdigest()
