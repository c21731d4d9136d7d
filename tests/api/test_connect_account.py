"""A creator connects an account: the key must list it at the platform, and nobody may have it already."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts import tokens
from app.accounts.connection import Keys
from app.accounts.models import Account, AuditEvent
from app.api.schemas.analytics import UNKNOWN_ZONE
from app.extensions import db
from embedded.platform_process import KEY
from tests.api.conftest import Caller, SignIn
from tests.embedded.platform.sim import Sim
from tests.support.apps import PRODUCTION, MakeApp, RunCli
from tests.support.cast import Cast

ACCOUNTS = "/api/onlyfans/accounts"
NOT_THERE = {"success": False, "error": "The key lists no such account, or it is connected already", "details": []}


@pytest.fixture
def sim(platform: str, app: Flask) -> Iterator[Sim]:
    """The platform, which lists two accounts to the deployment's key, and one to a key of Bea's."""
    sim = Sim(platform)
    for name in ("new", "other", "demo_ada", "beas"):
        sim.tell("/accounts", {"id": f"acct_{name}", "display_name": f"The {name} one"})
    sim.tell("/keys", {"key": "beas-own-key-1234", "accounts": ["acct_beas"]})
    yield sim
    sim.close()
    connector = app.extensions.get("connector")
    if connector is not None:
        connector.platform.http.close()


def _connect(caller: Caller, platform_id: str = "acct_new", **rest: Any) -> Any:
    return caller.post(ACCOUNTS, {"platformId": platform_id} | rest)


@pytest.mark.usefixtures("sim")
def test_an_account_that_the_key_lists_is_connected_once(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    answer = _connect(as_ada, timeZone="Europe/Paris")
    assert answer.status_code == 201, answer.text
    account = answer.json["account"]
    assert (account["userId"], account["platformId"], account["displayName"]) == (
        cast.ada.id,
        "acct_new",
        "The new one",
    )
    assert (account["timeZone"], account["apiKeyLast4"], account["connected"]) == ("Europe/Paris", None, True)
    assert account in as_ada.get(ACCOUNTS).json["accounts"]
    assert "account.connected" in db.session.scalars(select(AuditEvent.action))
    for caller in (as_ada, call_as(cast.eve)):
        again = _connect(caller)
        assert (again.status_code, again.json) == (404, NOT_THERE)


@pytest.mark.usefixtures("sim")
def test_what_the_key_does_not_list_isnt_there(as_ada: Caller) -> None:
    for platform_id, key in (("acct_nowhere", None), ("acct_new", "beas-own-key-1234")):
        answer = _connect(as_ada, platform_id, **({"apiKey": key} if key else {}))
        assert (answer.status_code, answer.json) == (404, NOT_THERE)


@pytest.mark.usefixtures("sim")
def test_a_key_of_ones_own_is_kept_sealed_and_only_its_end_is_shown(call_as: SignIn, cast: Cast, app: Flask) -> None:
    answer = _connect(call_as(cast.bea), "acct_beas", apiKey="beas-own-key-1234", displayName="Mine")
    assert answer.status_code == 201, answer.text
    assert (answer.json["account"]["displayName"], answer.json["account"]["apiKeyLast4"]) == ("Mine", "1234")
    assert "own-key" not in answer.text
    stored = db.session.scalars(select(Account.api_key_encrypted).where(Account.platform_id == "acct_beas")).one()
    assert stored is not None
    assert "own-key" not in stored
    assert Keys(app.extensions["settings"].encryption_key, KEY).decrypt(stored) == "beas-own-key-1234"


@pytest.mark.usefixtures("sim")
def test_a_key_that_the_platform_refuses_is_a_fault_of_the_input(as_ada: Caller) -> None:
    answer = _connect(as_ada, apiKey="nobodys-key")
    assert answer.status_code == 400
    assert answer.json["details"] == [{"field": "apiKey", "message": "The platform refuses this key"}]


@pytest.mark.usefixtures("sim")
def test_only_creators_connect(call_as: SignIn, cast: Cast) -> None:
    assert [_connect(call_as(user)).status_code for user in (cast.max, cast.olga)] == [403, 403]


def test_without_the_platform_nothing_is_connected(as_ada: Caller) -> None:
    assert _connect(as_ada).status_code == 503


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("platformId", "acct new", "Platform ID must be 1 to 64 letters, digits, _ or -"),
        ("timeZone", "Mars/Olympus", UNKNOWN_ZONE),
        ("apiKey", "short", "API key must be 8 to 200 printable characters"),
        ("displayName", " ", "Display name must be one line of text"),
    ],
)
def test_what_makes_no_sense_is_refused(as_ada: Caller, field: str, value: str, says: str) -> None:
    answer = _connect(as_ada, **{field: value}) if field != "platformId" else _connect(as_ada, value)
    assert answer.status_code == 400
    assert answer.json["details"] == [{"field": field, "message": says}]


@pytest.mark.usefixtures("sim")
def test_in_production_the_deployments_key_serves_only_whom_an_operator_named(
    make_app: MakeApp, cast: Cast, run_cli: RunCli
) -> None:
    app = make_app(**PRODUCTION)
    keys = tokens.Keys(PRODUCTION["JWT_SECRET_KEY"])
    ada, eve = (Caller(app.test_client(), tokens.issue(user, keys).access_token) for user in (cast.ada, cast.eve))
    assert _connect(ada).json == NOT_THERE
    for email in ("eve@example.com", "ada@example.com"):
        assert run_cli("users", "assign", email, "acct_new").exit_code == 0
    assert _connect(eve).json == NOT_THERE
    assert _connect(ada).status_code == 201
    refused = run_cli("users", "assign", "max@example.com", "acct_other")
    assert (refused.exit_code, "Only creators connect accounts" in refused.output) == (1, True)
    app.extensions["connector"].platform.http.close()
