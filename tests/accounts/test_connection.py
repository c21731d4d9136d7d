"""What keeps an account from calling: pauses, refused logins with their probes, and keys that accounts share."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import connection
from app.accounts.connection import Keys, KeyUnreadable
from app.accounts.models import Account
from app.db import database_now, transaction
from app.extensions import db
from tests.messages.line import pass_time
from tests.support.cast import Cast

KEYS = Keys(Fernet.generate_key().decode(), "deployment-key")
MOMENT = timedelta(seconds=1)


def _fresh(account: Account) -> Account:
    db.session.refresh(account)
    return account


def _give_keys(*pairs: tuple[Account, str | None]) -> None:
    with transaction():
        for account, stored in pairs:
            account.api_key_encrypted = stored


def _stopped(*accounts: Account) -> list[bool]:
    return [_fresh(account).reconnect_since is not None for account in accounts]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_key_comes_back_as_it_was_and_does_not_show_in_what_is_stored(api_key: str) -> None:
    stored, again = KEYS.encrypt(api_key), KEYS.encrypt(api_key)
    assert KEYS.decrypt(stored) == KEYS.decrypt(again) == api_key
    assert stored != again
    assert len(api_key) < 8 or api_key not in stored


def test_a_long_key_fits_into_its_column() -> None:
    assert len(KEYS.encrypt("k" * 200)) <= Account.__table__.c.api_key_encrypted.type.length  # type: ignore[attr-defined]


def test_accounts_without_a_key_call_with_the_deployments() -> None:
    assert KEYS.decrypt(None) == "deployment-key"
    assert Keys(Fernet.generate_key().decode(), None).decrypt(None) == ""


@pytest.mark.parametrize("stored", [Keys(Fernet.generate_key().decode(), None).encrypt("key"), "nonsense", "a.b", "ä"])
def test_a_key_that_another_encryption_key_stored_can_not_be_read(stored: str) -> None:
    with pytest.raises(KeyUnreadable, match="enter it again"):
        KEYS.decrypt(stored)


def test_what_is_stored_says_nothing_of_the_key_to_other_deployments() -> None:
    other = Keys(Fernet.generate_key().decode(), None)
    assert KEYS.encrypt("key").partition(".")[0] != other.encrypt("key").partition(".")[0]


@pytest.mark.usefixtures("any_database")
def test_a_pause_holds_until_its_time_and_gives_its_reason(account: Account) -> None:
    before = database_now()
    connection.pause(account.id, 45, "r" * 300)
    _fresh(account)
    assert account.paused_until is not None
    assert timedelta(0) <= account.paused_until - before - timedelta(seconds=45) < MOMENT
    assert account.pause_reason == "r" * 200


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize(("first", "second", "kept"), [(60, 30, "first"), (30, 60, "second")])
def test_the_longer_of_two_pauses_stays(account: Account, first: float, second: float, kept: str) -> None:
    connection.pause(account.id, first, "first")
    connection.pause(account.id, second, "second")
    assert _fresh(account).pause_reason == kept
    assert account.paused_until is not None
    assert account.paused_until - database_now() > timedelta(seconds=55)


def test_a_pause_is_the_accounts_own(cast: Cast) -> None:
    connection.pause(cast.account.id, 60, "slow down")
    assert _fresh(cast.beas_account).paused_until is None


@pytest.mark.usefixtures("any_database")
def test_a_refused_login_stops_its_account_alone(cast: Cast) -> None:
    connection.require_reconnect(cast.account.id, "sign in again")
    assert _stopped(cast.account, cast.beas_account, cast.eves_account) == [True, False, False]
    assert cast.account.pause_reason == "sign in again"


@pytest.mark.usefixtures("any_database")
def test_a_refused_key_stops_all_accounts_that_share_it_and_no_other(cast: Cast) -> None:
    ada, bea, eve = cast.account, cast.beas_account, cast.eves_account
    _give_keys((ada, KEYS.encrypt("shared")), (bea, KEYS.encrypt("shared")), (eve, KEYS.encrypt("another")))
    connection.require_reconnect(ada.id, "the key is refused", whole_key=True)
    assert _stopped(ada, bea, eve) == [True, True, False]


@pytest.mark.usefixtures("any_database")
def test_a_refused_deployment_key_stops_the_accounts_without_one_of_their_own(cast: Cast) -> None:
    ada, bea, eve = cast.account, cast.beas_account, cast.eves_account
    _give_keys((eve, KEYS.encrypt("own")))
    connection.require_reconnect(ada.id, "the key is refused", whole_key=True)
    assert _stopped(ada, bea, eve) == [True, True, False]


@pytest.mark.parametrize("others", [None, "sealed", "sealed-too", KEYS.encrypt("own")])
def test_a_key_whose_owner_nobody_can_tell_stops_its_account_alone(cast: Cast, others: str | None) -> None:
    _give_keys((cast.account, "sealed"), (cast.beas_account, others), (cast.eves_account, None))
    connection.require_reconnect(cast.account.id, "the key is refused", whole_key=True)
    assert _stopped(cast.account, cast.beas_account, cast.eves_account) == [True, False, False]


@pytest.mark.usefixtures("any_database")
def test_the_first_refusal_and_its_probe_stand_until_the_account_is_resumed(account: Account) -> None:
    connection.require_reconnect(account.id, "first")
    since, probe_at = _fresh(account).reconnect_since, account.probe_at
    connection.require_reconnect(account.id, "second")
    _fresh(account)
    assert (account.reconnect_since, account.probe_at, account.pause_reason) == (since, probe_at, "first")


def _probed(seconds: float) -> list[int]:
    pass_time(timedelta(seconds=seconds))
    return [probe.account_id for probe in connection.claim_probes()]


@pytest.mark.usefixtures("any_database")
def test_probes_come_after_30_s_and_then_less_and_less_often(account: Account) -> None:
    connection.require_reconnect(account.id, "sign in again")
    assert _probed(0) == _probed(25) == []
    assert _waits([5, 60, 120, 240, 480, 900, 900]) == [[account.id]] * 7


def _waits(seconds: Sequence[float]) -> list[list[int]]:
    """Whom each of these waits lets be probed, when a few less let nobody be."""
    found = []
    for wait in seconds:
        assert _probed(max(0, wait - 5)) == []
        found.append(_probed(6))
    return found


@pytest.mark.usefixtures("any_database")
def test_a_probe_is_claimed_by_one_worker_with_what_its_call_needs(account: Account) -> None:
    _give_keys((account, "sealed"))
    connection.require_reconnect(account.id, "sign in again")
    pass_time(timedelta(seconds=31))
    (probe,) = connection.claim_probes()
    assert (probe.account_id, probe.platform_id, probe.api_key_encrypted) == (account.id, "acct_demo_ada", "sealed")
    assert connection.claim_probes() == []


def test_where_only_a_person_can_tell_nobody_probes(account: Account) -> None:
    connection.require_reconnect(account.id, "look at the account", probe=False)
    assert _probed(86_400) == []


@pytest.mark.usefixtures("any_database")
def test_an_account_that_is_accepted_again_goes_on(cast: Cast) -> None:
    for account in (cast.account, cast.beas_account):
        connection.require_reconnect(account.id, "sign in again")
    connection.reconnected([cast.account.id])
    assert _stopped(cast.account, cast.beas_account) == [False, True]
    assert (cast.account.pause_reason, cast.account.probe_at) == (None, None)


@pytest.mark.usefixtures("any_database")
def test_a_login_that_is_refused_again_at_once_is_probed_less_often_until_something_arrives(account: Account) -> None:
    connection.require_reconnect(account.id, "sign in again")
    assert _probed(31) == [account.id]
    connection.reconnected([account.id])
    connection.require_reconnect(account.id, "sign in again")
    assert _probed(31) == [account.id]
    assert _probed(100) == []
    connection.reconnected([account.id])
    connection.delivered([account.id])
    connection.require_reconnect(account.id, "sign in again")
    assert (_probed(31), _probed(61)) == ([account.id], [account.id])
