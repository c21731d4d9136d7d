"""The control: faults, knobs, the scene; only for this machine."""

import re

import pytest

from tests.embedded.platform.sim import Sim


def test_faults_are_listed_and_taken_back(sim: Sim) -> None:
    first, second = sim.fault("down", call="whoami"), sim.fault("latency", seconds=0.01, account="acct_a")
    sim.send()
    listed = sim.ask("/faults")["faults"]
    assert listed == [first, {**second, "fired": 1}]
    assert [(rule["kind"], rule["call"], rule["fired"]) for rule in listed] == [
        ("down", "whoami", 0),
        ("latency", "send", 1),
    ]
    assert listed[1]["seconds"] == 0.01
    assert sim.http.delete(f"/_sim/faults/{first['id']}").status_code == 200
    assert sim.http.delete(f"/_sim/faults/{first['id']}").status_code == 404
    assert [rule["id"] for rule in sim.ask("/faults")["faults"]] == [second["id"]]
    sim.works_again()
    assert sim.ask("/faults")["faults"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "nonsense"}),
        ("/settings", {"min_gap": -1}),
        ("/settings", {"min_gap": "3"}),
        ("/settings", {"list_marks_read": 1}),
        ("/settings", {"speed": 3}),
        ("/accounts", {"display_name": "no id"}),
        ("/accounts", {"id": "ada"}),
        ("/keys", {"key": "k", "accounts": "acct_a"}),
        ("/fans", {"account": "acct_a", "id": 7}),
        ("/messages", {"account": "acct_a", "chat": "7", "text": "x", "from": "somebody"}),
        ("/messages", {"account": "acct_a", "chat": "7", "text": "x", "from": "fan", "at": True}),
        ("/messages", {"account": "acct_a", "chat": "7", "text": "x", "from": "fan", "at": 1e30}),
        ("/messages", {"account": "acct_a", "chat": "../7", "text": "x", "from": "fan"}),
        ("/transactions", {"account": "acct_a", "fan": "7", "amount": "5", "type": "tips"}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_clear_line(sim: Sim, path: str, body: dict[str, object]) -> None:
    answer = sim.http.post(f"/_sim{path}", json=body)
    assert answer.status_code == 400
    assert ": " in answer.json()["error"]


@pytest.mark.parametrize("query", ["after=x", "limit=-1"])
def test_a_senseless_page_of_the_journal_is_refused(sim: Sim, query: str) -> None:
    assert sim.http.get(f"/_sim/journal?{query}").status_code == 400


def test_asking_for_a_stranger_does_not_make_them_known(sim: Sim) -> None:
    assert sim.summary("acct_stranger")["calls"] == 0
    assert sim.ask("/summary")["accounts"] == {}


def test_the_root_leads_to_the_page(sim: Sim) -> None:
    assert sim.plain.get(sim.url).headers["Location"] == "/_sim"


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(sim: Sim, raw: bytes) -> None:
    assert sim.http.post("/_sim/faults", content=raw).status_code == 400


@pytest.mark.parametrize("query", ["window=0", "window=x", "window=nan"])
def test_a_window_is_longer_than_nothing(sim: Sim, query: str) -> None:
    assert sim.http.get(f"/_sim/summary?{query}").status_code == 400


def test_knobs_are_turned_one_by_one(sim: Sim) -> None:
    before = sim.ask("/settings")["settings"]
    assert sim.tell("/settings", {"min_gap": 2.5}) == {**before, "min_gap": 2.5}
    assert sim.ask("/settings")["settings"]["min_gap"] == 2.5
    sim.tell("/reset", {})
    assert sim.ask("/settings")["settings"] == before


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.example.com", "10.0.0.1:8900", ""])
def test_only_this_machine_may_control(sim: Sim, host: str) -> None:
    assert sim.http.get("/_sim/faults", headers={"Host": host}).status_code == 403
    assert sim.http.get("/api/whoami", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:8900"])
def test_every_name_of_this_machine_may_control(sim: Sim, host: str) -> None:
    assert sim.http.get("/_sim/faults", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example.com", 403), ("null", 403), ("http://localhost", 201)]
)
def test_other_peoples_pages_may_not_control(sim: Sim, origin: str, status: int) -> None:
    answer = sim.http.post("/_sim/faults", json={"kind": "reset", "times": 1}, headers={"Origin": origin})
    assert answer.status_code == status


def test_the_page_needs_nothing_from_elsewhere(sim: Sim) -> None:
    page = sim.plain.get(f"{sim.url}/_sim")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"https?:|\bsrc=|\bhref=|url\(|@import", page.text)


def test_the_status_shows_accounts_and_newest_calls(sim: Sim) -> None:
    sim.send("acct_a", text="one")
    sim.send("acct_b", text="two", price=1)
    status = sim.ask("/status")
    assert status["accounts"] == [
        {"account": "acct_b", "calls": 1, "in_flight": 0, "refused": 1},
        {"account": "acct_a", "calls": 1, "in_flight": 0, "delivered": 1},
    ]
    assert [entry["text"] for entry in status["recent"]] == ["two", "one"]


def test_a_reset_forgets_everything_but_the_key(sim: Sim) -> None:
    sim.send(key="k")
    sim.tell("/keys", {"key": "other"})
    sim.tell("/reset", {})
    assert sim.http.get("/api/accounts").json() == []
    assert sim.texts() == []
    assert "Idempotent-Replayed" not in sim.send(key="k").headers
    assert sim.http.get("/api/whoami", headers={"Authorization": "Bearer other"}).status_code == 401
    assert sim.last()["seq"] == 1
