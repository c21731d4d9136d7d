"""A creator's accounts: connected by a key or an id, kept in order by their owner and nobody else."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts import connection
from app.accounts import queries as accounts
from app.accounts.connection import Keys
from app.accounts.models import Account, Membership
from app.clock import now
from app.db import transaction
from app.extensions import db
from app.inbound import queries
from app.inbound.models import Stage
from embedded.platform_process import KEY
from tests.embedded.platform.sim import Sim
from tests.pages.conftest import SignIn, post
from tests.support.cast import Cast

PAGE = "/platforms/onlyfans/connect"
OWN_KEY = "adas-own-key-1234"
ZONE = {"time_zone": "Europe/Paris", "days": "90"}


@pytest.fixture
def sim(platform: str, app: Flask) -> Iterator[Sim]:
    """The platform: two accounts for the deployment's key, one of them and Ada's for a key of hers."""
    sim = Sim(platform)
    for name in ("new", "other", "demo_ada"):
        sim.tell("/accounts", {"id": f"acct_{name}", "display_name": f"The {name} one"})
    sim.tell("/keys", {"key": OWN_KEY, "accounts": ["acct_new", "acct_demo_ada"]})
    yield sim
    sim.close()
    connector = app.extensions.get("connector")
    if connector is not None:
        connector.platform.http.close()


@pytest.fixture
def as_ada(sign_in: SignIn, cast: Cast, sim: Sim) -> FlaskClient:
    """Ada's browser."""
    return sign_in(cast.ada)


def _ada(cast: Cast) -> Account:
    return db.session.get_one(Account, cast.account.id, populate_existing=True)


def test_a_key_is_entered_and_an_account_of_it_chosen(as_ada: FlaskClient, cast: Cast) -> None:
    choices = post(as_ada, f"{PAGE}/choices", {"api_key": OWN_KEY}, htmx=False)
    assert choices.status_code == 200
    assert re.findall(r'name="platform_id" value="([^"]+)"', choices.text) == ["acct_new"]
    assert OWN_KEY not in choices.text
    sealed = re.search(r'name="sealed" value="([^"]+)"', choices.text)
    assert sealed is not None
    form = {"platform_id": "acct_new", "sealed": sealed[1], **ZONE}
    assert post(as_ada, PAGE, form, htmx=False).status_code == 303
    account = db.session.scalars(select(Account).where(Account.platform_id == "acct_new")).one()
    assert (account.owner_id, account.api_key_last4, account.time_zone) == (cast.ada.id, "1234", "Europe/Paris")
    page = as_ada.get(PAGE).text
    assert "own key …1234" in page
    assert "The new one is connected." in page
    run = queries.progress([account.id])[account.id]
    assert now() - run.since > timedelta(days=89)
    assert f'hx-get="{PAGE}/{account.id}/progress"' in page


def test_an_account_is_connected_by_its_id_on_the_deployments_key(as_ada: FlaskClient) -> None:
    assert post(as_ada, PAGE, {"platform_id": "acct_other", **ZONE}, htmx=False).status_code == 303
    assert "acct_other" in as_ada.get(PAGE).text


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("/choices", {"api_key": "nobodys-key-999"}, "refuses this key"),
        ("/choices", {"api_key": "short"}, "look like a key"),
        ("/choices", {}, "Enter a key."),
        ("", {"platform_id": "acct_nowhere", **ZONE}, "lists no such account"),
        ("", {"platform_id": "acct_demo_ada", **ZONE}, "connected already"),
        ("", {"platform_id": "no id", **ZONE}, "looks like acct_abc123"),
        ("", {"platform_id": "acct_new", "time_zone": "Moon/Sea", "days": "90"}, "Not a valid choice"),
        ("", {"platform_id": "acct_new", "sealed": "broken", **ZONE}, "Enter the key again"),
    ],
)
def test_what_can_not_be_connected_says_why(as_ada: FlaskClient, path: str, form: dict[str, str], words: str) -> None:
    answer = post(as_ada, PAGE + path, form, htmx=False)
    assert answer.status_code == 422
    assert words in answer.text


def test_the_owner_names_it_and_says_where_its_days_begin(as_ada: FlaskClient, cast: Cast) -> None:
    path = f"{PAGE}/{cast.account.id}"
    assert post(as_ada, path, {"display_name": " Ada's ", "time_zone": "Asia/Tokyo"}, htmx=False).status_code == 303
    assert (_ada(cast).display_name, _ada(cast).time_zone) == ("Ada's", "Asia/Tokyo")
    assert post(as_ada, path, {"display_name": " ", **ZONE}, htmx=False).status_code == 422


def test_a_key_is_changed_and_forgotten(as_ada: FlaskClient, cast: Cast, app: Flask) -> None:
    path = f"{PAGE}/{cast.account.id}/key"
    connection.require_reconnect(cast.account.id, "The login has ended")
    assert post(as_ada, path, {"api_key": OWN_KEY}, htmx=False).status_code == 303
    kept = _ada(cast)
    assert (kept.api_key_last4, kept.reconnect_since) == ("1234", None)
    keys = Keys(app.extensions["settings"].encryption_key, KEY)
    assert keys.decrypt(kept.api_key_encrypted) == OWN_KEY
    assert post(as_ada, f"{path}/remove", htmx=False).status_code == 303
    assert (_ada(cast).api_key_encrypted, _ada(cast).api_key_last4) == (None, None)


def test_a_key_that_does_not_list_the_account_is_not_taken(as_ada: FlaskClient, cast: Cast, sim: Sim) -> None:
    sim.tell("/keys", {"key": "for-others-only-1", "accounts": ["acct_other"]})
    answer = post(as_ada, f"{PAGE}/{cast.account.id}/key", {"api_key": "for-others-only-1"}, htmx=False)
    assert (answer.status_code, "list the account" in answer.text) == (422, True)
    assert _ada(cast).api_key_encrypted is None


def test_it_goes_on_once_it_was_authenticated_again(as_ada: FlaskClient, cast: Cast, sim: Sim) -> None:
    connection.require_reconnect(cast.account.id, "The platform's login has ended")
    sim.tell("/accounts", {"id": "acct_demo_ada", "is_authenticated": False})
    assert "Authenticate again" in as_ada.get(PAGE).text
    again = post(as_ada, f"{PAGE}/{cast.account.id}/reconnect", htmx=False)
    assert (again.status_code, "still says" in again.text) == (422, True)
    sim.tell("/accounts", {"id": "acct_demo_ada", "is_authenticated": True})
    assert post(as_ada, f"{PAGE}/{cast.account.id}/reconnect", htmx=False).status_code == 303
    assert _ada(cast).reconnect_since is None
    assert "Authenticate again" not in as_ada.get(PAGE).text


def test_what_is_at_the_platform_is_brought_in_again_when_the_owner_says_so(as_ada: FlaskClient, cast: Cast) -> None:
    path = f"{PAGE}/{cast.account.id}"
    assert post(as_ada, f"{path}/read", {"days": "365"}, htmx=False).status_code == 303
    run = queries.progress([cast.account.id])[cast.account.id]
    assert now() - run.since > timedelta(days=364)
    assert "Bringing in chats" in as_ada.get(f"{path}/progress").text
    with transaction():
        run.stage, run.finished_at, run.chats = Stage.DONE, now(), 1200
    done = as_ada.get(f"{path}/progress").text
    assert "1,200 chats" in done
    assert "hx-get" not in done
    assert post(as_ada, f"{path}/read", {"days": "7"}, htmx=False).status_code == 422
    assert as_ada.get(f"{PAGE}/{cast.eves_account.id}/progress").status_code == 404


def test_managers_are_let_in_and_out_by_the_owner(as_ada: FlaskClient, cast: Cast) -> None:
    path = f"{PAGE}/{cast.account.id}/managers"
    assert "Max Example" in as_ada.get(PAGE).text
    assert post(as_ada, f"{path}/{cast.max.id}/remove", htmx=False).status_code == 303
    assert cast.account.id not in [one.id for one in accounts.visible(cast.max)]
    assert post(as_ada, f"{path}/{cast.max.id}/remove", htmx=False).status_code == 404
    for _ in range(2):
        assert post(as_ada, path, {"email": " MAX@example.com "}, htmx=False).status_code == 303
    members = select(Membership.user_id).where(Membership.account_id == cast.account.id)
    assert list(db.session.scalars(members)) == [cast.max.id]
    for nobody in ("eve@example.com", "nobody@example.com", ""):
        assert post(as_ada, path, {"email": nobody}, htmx=False).status_code == 422


@pytest.mark.parametrize("deed", ["", "/key", "/key/remove", "/reconnect", "/read", "/managers", "/managers/1/remove"])
def test_somebody_elses_account_is_not_there(as_ada: FlaskClient, cast: Cast, deed: str) -> None:
    form = {"display_name": "Mine", "api_key": OWN_KEY, "email": "max@example.com", **ZONE}
    answers = [
        post(as_ada, f"{PAGE}/{account_id}{deed}", form, htmx=False).status_code
        for account_id in (cast.eves_account.id, 10**9)
    ]
    assert answers == [404, 404]


def test_the_page_is_for_creators(sign_in: SignIn, cast: Cast) -> None:
    assert [sign_in(one).get(PAGE).status_code for one in (cast.ada, cast.max, cast.olga)] == [200, 403, 403]
