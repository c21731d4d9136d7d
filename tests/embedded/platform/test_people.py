"""Who the key belongs to, its accounts, their fans and what these paid."""

import time

import pytest
from onlyfansapi import AuthenticationError, NotFoundError, OnlyFansAPI, PermissionDeniedError, UnprocessableEntityError

from tests.embedded.platform.sim import Sim


def _sdk(sim: Sim, key: str) -> OnlyFansAPI:
    return OnlyFansAPI(api_key=key, base_url=sim.url, max_retries=0, http_client=sim.plain)


def test_whoami_names_the_team(sim: Sim) -> None:
    who = sim.sdk.whoami.retrieve()
    assert who.team is not None
    assert who.team.slug == "team"
    assert "_meta" not in sim.http.get("/api/whoami").json()


def test_accounts_are_a_bare_list_of_those_touched(sim: Sim) -> None:
    sim.tell("/accounts", {"id": "acct_x", "display_name": "Ada", "is_authenticated": False})
    sim.send("acct_a")
    sim.send("acct_gone")
    sim.tell("/accounts", {"id": "acct_gone", "absent": True})
    accounts = sim.sdk.accounts.list()
    assert [(one.id, one.display_name, one.is_authenticated) for one in accounts] == [
        ("acct_a", "a", True),
        ("acct_x", "Ada", False),
    ]
    assert accounts[0].onlyfans_user_data is not None
    assert [one.id for one in sim.sdk.accounts.list(onlyfans_id=str(accounts[1].onlyfans_id))] == ["acct_x"]


def test_an_absent_account_and_a_wrong_id_are_not_found(sim: Sim) -> None:
    sim.tell("/accounts", {"id": "acct_a", "absent": True})
    for account in ("acct_a", "12345"):
        with pytest.raises(NotFoundError):
            sim.sdk.me.retrieve(account)
    assert "acct_" in sim.http.get("/api/12345/me").json()["message"]
    sim.tell("/accounts", {"id": "acct_a", "absent": False})
    me = sim.sdk.me.retrieve("acct_a").data
    assert me is not None
    assert me.name == "a"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "wrong"}])
def test_without_a_good_key_nothing_is_answered(sim: Sim, header: dict[str, str]) -> None:
    answer = sim.plain.get(f"{sim.url}/api/whoami", headers=header)
    assert answer.status_code == 401
    assert answer.json()["error"].startswith("Unauthorized. Go to ")
    with pytest.raises(AuthenticationError):
        _sdk(sim, "wrong").accounts.list()


def test_a_key_can_be_limited_to_accounts(sim: Sim) -> None:
    sim.tell("/keys", {"key": "narrow", "accounts": ["acct_a"]})
    sim.send("acct_b")
    sim.send("acct_a")
    narrow = _sdk(sim, "narrow")
    assert [account.id for account in narrow.accounts.list()] == ["acct_a"]
    narrow.me.retrieve("acct_a")
    with pytest.raises(PermissionDeniedError):
        narrow.me.retrieve("acct_b")


def test_teams_do_not_share_idempotency_keys(sim: Sim) -> None:
    sim.tell("/keys", {"key": "other", "team": "Other"})
    sim.send(key="k")
    _sdk(sim, "other").chats.messages.send("7", account="acct_a", text="Hello", idempotency_key="k")
    assert [entry["outcome"] for entry in sim.entries()] == ["delivered", "delivered"]


def test_fans_come_in_pages_that_may_be_short(sim: Sim) -> None:
    for number in range(45):
        active = number % 3 > 0
        sim.tell("/fans", {"account": "acct_a", "id": str(number), "is_subscribed": active, "total_spent": number})
    pages = [sim.sdk.fans.list_all("acct_a", limit=20, offset=offset).data for offset in (0, 20, 40)]
    assert [len(page.list or ()) for page in pages if page] == [20, 19, 6]
    assert [page.has_more for page in pages if page] == [True, True, False]
    assert {fan.id for page in pages if page for fan in page.list or ()} == set(range(45))
    active_fans, expired = sim.sdk.fans.list_active("acct_a", limit=20).data, sim.sdk.fans.list_expired("acct_a").data
    assert active_fans is not None
    assert expired is not None
    assert {(fan.id or 0) % 3 for fan in active_fans.list or ()} == {1, 2}
    assert {(fan.id or 0) % 3 for fan in expired.list or ()} == {0}
    rich = sim.sdk.fans.list_all("acct_a", limit=20, filter={"total_spent": 43}).data
    assert rich is not None
    assert [fan.id for fan in rich.list or ()] == [43, 44]
    own = sim.sdk.me.retrieve("acct_a").data
    assert own is not None
    assert own.subscribers_count == 30


def test_the_newest_fans(sim: Sim) -> None:
    for number in (1, 2, 3):
        sim.tell("/fans", {"account": "acct_a", "id": str(number), "created_at": 1_700_000_000 + number})
    newest = sim.sdk.fans.list_latest("acct_a", limit=2, type="new").data
    assert newest is not None
    assert ([fan.id for fan in newest.users or ()], newest.has_more, newest.offset) == ([3, 2], True, 0)


@pytest.mark.parametrize("query", ["filter.online=1", "filter[tips]=x", "limit=21", "type=some"])
def test_senseless_fan_lists_are_refused(sim: Sim, query: str) -> None:
    assert sim.http.get(f"/api/acct_a/fans/all?{query}").status_code == 422


def test_the_vendors_own_index_says_how_complete_it_is(sim: Sim) -> None:
    sim.tell("/fans", {"account": "acct_a", "id": "7", "total_spent": 5})
    data = sim.http.get("/api/acct_a/fans/all?filter[max_total_spent]=4").json()["data"]
    assert (data["list"], data["_source"]["is_complete"]) == ([], True)


def test_users_by_id_ten_at_most(sim: Sim) -> None:
    sim.tell("/fans", {"account": "acct_a", "id": "7", "name": "Gina"})
    found = sim.http.get("/api/acct_a/users/list", params={"ids": "7,8"}).json()["data"]
    assert {user_id: user["name"] for user_id, user in found.items()} == {"7": "Gina"}
    with pytest.raises(UnprocessableEntityError):
        sim.sdk.users.list("acct_a", ids=",".join(map(str, range(11))))


def test_money_comes_newest_first_with_fee_and_net(sim: Sim) -> None:
    now = time.time()
    for amount, kind, age in ((17, "chat_messages", 60), (5.5, "tips", 30), (9, "tips", 40 * 86400)):
        wish = {"account": "acct_a", "fan": "7", "amount": amount, "type": kind, "at": now - age}
        sim.tell("/transactions", wish)
    first = sim.sdk.transactions.list("acct_a", limit="1").data
    assert first is not None
    assert first.list is not None
    assert (first.list[0].amount, first.list[0].net, first.list[0].fee) == (5.5, 4.4, 1.1)
    assert (first.has_more, first.next_marker) == (True, 1)
    second = sim.sdk.transactions.list("acct_a", limit="1", marker="1").data
    assert second is not None
    assert (second.has_more, second.next_marker) == (False, None)
    tips = sim.sdk.transactions.list("acct_a", type="tips", start_date="2000-01-01").data
    assert tips is not None
    assert [paid.amount for paid in tips.list or ()] == [5.5, 9]
    assert sim.http.get("/api/acct_a/transactions?startDate=soon").status_code == 422
