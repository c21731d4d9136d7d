"""The second factor: on when its first code was right, no code twice, and a way back without the phone."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from cryptography.fernet import Fernet
from sqlalchemy import select

from app.accounts import second_factor
from app.accounts.models import AuditEvent, RecoveryCode, SecondFactor, User
from app.errors import Conflict, Invalid, NotSignedIn
from app.extensions import db

KEY = Fernet.generate_key().decode()
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def turned_on(user: User) -> tuple[pyotp.TOTP, list[str]]:
    """The user's app, and their recovery codes; the code of noon is used up."""
    app = pyotp.TOTP(second_factor.begin(user, KEY))
    with time_machine.travel(NOON, tick=False):
        return app, second_factor.confirm(user, app.at(NOON), KEY)


def takes(user: User, code: str, at: datetime, key: str = KEY) -> bool:
    """Whether the code lets the user in."""
    with time_machine.travel(at, tick=False):
        try:
            second_factor.check(user, code, key)
        except NotSignedIn:
            return False
    return True


def test_it_is_off_until_its_first_code_was_right(ada: User) -> None:
    app = pyotp.TOTP(second_factor.begin(ada, KEY))
    assert second_factor.pending(ada, KEY) == app.secret
    with time_machine.travel(NOON, tick=False):
        with pytest.raises(Invalid):
            second_factor.confirm(ada, "000000" if app.at(NOON) != "000000" else "111111", KEY)
        assert not second_factor.is_on(ada)
        codes = second_factor.confirm(ada, app.at(NOON), KEY)
    assert second_factor.stand(ada) == second_factor.Stand(on=True, recovery_codes=10)
    assert len(set(codes)) == 10
    with pytest.raises(Conflict):
        second_factor.begin(ada, KEY)


def test_a_code_is_good_once_and_for_a_minute_and_a_half(ada: User) -> None:
    app, _ = turned_on(ada)
    assert not takes(ada, app.at(NOON), NOON), "it was used to turn it on"
    assert takes(ada, app.at(NOON + timedelta(seconds=30)), NOON)
    assert not takes(ada, app.at(NOON + timedelta(seconds=30)), NOON + timedelta(seconds=30))
    assert not takes(ada, app.at(NOON - timedelta(seconds=30)), NOON), "older than the last one"
    later = NOON + timedelta(hours=1)
    assert not takes(ada, app.at(later - timedelta(seconds=60)), later)
    assert takes(ada, f" {app.at(later - timedelta(seconds=30))} ", later)


def test_nonsense_is_refused(ada: User) -> None:
    turned_on(ada)
    for code in ("", "0" * 500, "１２３４５６", "\x00", "-1", "\ud800", "aaaa-aaaa-aaaa-aaaa"):
        assert not takes(ada, code, NOON + timedelta(hours=1))


def test_a_recovery_code_works_once_however_it_is_written(ada: User) -> None:
    _, codes = turned_on(ada)
    assert takes(ada, codes[0].upper().replace("-", " "), NOON)
    assert not takes(ada, codes[0], NOON)
    assert second_factor.stand(ada).recovery_codes == 9
    new = second_factor.renew_recovery_codes(ada)
    assert not takes(ada, codes[1], NOON)
    assert takes(ada, new[1], NOON)


def test_with_another_key_of_the_deployment_recovery_codes_still_work(ada: User) -> None:
    app, codes = turned_on(ada)
    other = Fernet.generate_key().decode()
    later = NOON + timedelta(hours=1)
    assert not takes(ada, app.at(later), later, other)
    assert takes(ada, codes[0], later, other)


def test_one_persons_codes_are_nobody_elses(ada: User, eve: User) -> None:
    app, codes = turned_on(ada)
    turned_on(eve)
    later = NOON + timedelta(hours=1)
    assert not takes(eve, app.at(later), later)
    assert not takes(eve, codes[0], later)


def test_off_means_forgotten(ada: User) -> None:
    app, _ = turned_on(ada)
    second_factor.turn_off(ada)
    assert not second_factor.is_on(ada)
    assert not takes(ada, app.at(NOON + timedelta(hours=1)), NOON + timedelta(hours=1))
    assert db.session.scalars(select(RecoveryCode)).all() == []


def test_the_database_and_the_log_hold_neither_secret_nor_codes(ada: User) -> None:
    app, codes = turned_on(ada)
    takes(ada, codes[0], NOON)
    rows = [*db.session.scalars(select(SecondFactor)), *db.session.scalars(select(AuditEvent))]
    rows += db.session.scalars(select(RecoveryCode))
    dump = str([vars(row) for row in rows])
    assert [one for one in (app.secret, *codes, *(code.replace("-", "") for code in codes)) if one in dump] == []
