"""Logins that the platform refuses: the account waits, its messages too, and a probe lets them go on."""

import pytest
from sqlalchemy import update

from app.accounts.connection import Keys
from app.accounts.models import Account
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import House
from tests.journeys.waiting import until


def test_an_account_with_a_lost_session_waits_until_it_is_connected_again(house: House) -> None:
    lost, paying, other = house.author(), house.author(), house.author()
    lost.sim.tell("/accounts", {"id": lost.platform_id, "is_authenticated": False})
    paying.fault("payment_required", times=1)
    for author in (lost, paying, other):
        author.write_many(2)
    for author in (lost, paying):
        until(lambda author=author: author.account().reconnect_since, author.story)  # type: ignore[misc]
    other.wait("sent")
    assert len(lost.entries()) == len(paying.entries()) == 1
    lost.sim.tell("/accounts", {"id": lost.platform_id, "is_authenticated": True})
    house.probe_now()
    for author in (lost, paying):
        author.wait("sent")
        assert audit(author)["calls"] == 3
        _check_new_key(author)


@pytest.mark.slow
def test_a_refused_key_stops_all_its_accounts_and_no_other(house: House) -> None:
    first, second, with_own_key = house.author(), house.author(), house.author()
    house.sim.tell("/keys", {"key": "a-key-of-their-own"})
    encrypted = Keys(house.app.extensions["settings"].encryption_key, None).encrypt("a-key-of-their-own")
    own = update(Account).where(Account.id == with_own_key.account_id)
    house.execute(own.values(api_key_encrypted=encrypted))
    for author in (first, second):
        author.write("Before")
        author.wait("sent")
    house.sim.fault("unauthorized", key=house.environment["ONLYFANSAPI_API_KEY"])
    for author in (first, with_own_key):
        author.write("Hello!")
    until(lambda: second.account().reconnect_since, first.story)
    second.write("After")
    with_own_key.wait("sent")
    assert with_own_key.account().reconnect_since is None
    assert len(second.entries()) == 1
    assert [entry["status"] for entry in first.entries()] == [200, 401]
    house.sim.works_again()
    house.probe_now()
    for author in (first, second):
        author.wait("sent")
        audit(author)
    _check_new_key(first, message=1)


def _check_new_key(author: Author, message: int = 0) -> None:
    """The refusal is stored for its key: the message goes out with another one, and no attempt was used."""
    keys = [entry["key"] for entry in author.entries()][message : message + 2]
    refused = author.messages()[message]
    assert keys == [refused.public_id, f"{refused.public_id}-1"], author.story()
    assert refused.attempts == 1, author.story()
