"""The program: how it starts, ends, and what it remembers."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from embedded.child import Child, NotStartedError
from embedded.platform import switches
from embedded.platform.simulator import Simulator
from embedded.platform.store import Memory
from embedded.platform_process import LISTENS, part
from tests.embedded.platform.sim import Sim


@contextmanager
def _program(folder: Path, state: str, *arguments: str) -> Iterator[tuple[Child, Sim]]:
    child = Child(part(0, state, arguments), folder)
    child.start()
    try:
        child.wait_until_ready()
        found = LISTENS.search(child.output())
        assert found is not None
        sim = Sim(found[1])
        yield child, sim
        sim.close()
    finally:
        child.kill()


def test_it_remembers_everything_through_a_kill(tmp_path: Path) -> None:
    state = str(tmp_path / "var" / "platform.sqlite3")
    with _program(tmp_path, state) as (child, sim):
        sim.tell("/accounts", {"id": "acct_a", "display_name": "Ada"})
        sim.tell("/keys", {"key": "other", "accounts": ["acct_b"]})
        sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": "Hi", "from": "fan"})
        sim.tell("/transactions", {"account": "acct_a", "fan": "7", "amount": 5, "type": "tips"})
        medium = sim.sdk.media.vault.upload("acct_a", file_url="https://cdn.example.com/a.jpg").data
        assert medium is not None
        first = sim.send(key="k", text="With a picture", mediaFiles=[medium.id], price=5).json()["data"]
        deleted = sim.send(key="k2").json()["data"]["id"]
        sim.http.delete(f"/api/acct_a/chats/7/messages/{deleted}")
        refused = sim.send(key="k3", text="").json()["errors"]
        journal = sim.entries()
        sim.fault("hang")
        with pytest.raises(httpx.ReadTimeout):
            sim.send(key="k4", timeout=0.1)
        time.sleep(1.1)  # what is older than a second survives
        child.kill()
    with _program(tmp_path, state) as (again, sim):
        assert [account["display_name"] for account in sim.http.get("/api/accounts").json()] == ["Ada"]
        assert sim.http.get("/api/acct_b/me", headers={"Authorization": "Bearer other"}).status_code == 200
        assert sim.texts() == ["<p>With a picture</p>", "<p>Hi</p>"]
        assert sim.entries()[:3] == journal
        assert [entry["text"] for entry in sim.deliveries()] == ["With a picture", "Hello"]
        replayed = sim.send(key="k", text="With a picture", mediaFiles=[medium.id], price=5)
        assert (replayed.headers["Idempotent-Replayed"], replayed.json()["data"]) == ("true", first)
        assert sim.send(key="k2").json()["data"]["id"] == deleted
        assert sim.send(key="k3", text="").json()["errors"] == refused
        assert sim.send(key="k4").json()["data"]["id"] > deleted
        assert sim.last()["seq"] == 8
        assert sim.summary()["delivered"] == 3
        assert len(sim.http.get("/api/acct_a/transactions").json()["data"]["list"]) == 1
        assert sim.http.get("/api/acct_a/chats").json()["data"][0]["unreadMessagesCount"] == 0
        sim.tell("/reset", {})
        again.stop()
    with _program(tmp_path, state) as (_, sim):
        assert (sim.entries(), sim.http.get("/api/accounts").json()) == ([], [])


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_and_loses_nothing(tmp_path: Path, end: signal.Signals) -> None:
    state = str(tmp_path / "platform.sqlite3")
    with _program(tmp_path, state) as (child, sim):
        sim.send(text="Last words")
        sim.fault("hang")
        with pytest.raises(httpx.ReadTimeout):
            sim.send(timeout=0.1)
        assert child._process is not None
        child._process.send_signal(end)
        before = time.monotonic()
        assert child._process.wait(timeout=5) == 0
        assert time.monotonic() - before < 4
        assert "Traceback" not in child.output()
    with sqlite3.connect(state) as connection:
        assert "Last words" in "".join(body for (body,) in connection.execute("SELECT body FROM records"))


def test_a_file_of_another_shape_is_emptied(tmp_path: Path) -> None:
    state = tmp_path / "platform.sqlite3"
    with sqlite3.connect(state) as connection:
        connection.execute("CREATE TABLE records (kind TEXT, id, body TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID")
        connection.execute("""INSERT INTO records VALUES ('account', 'acct_a', '{"id": "acct_a", "old": 1}')""")
    with _program(tmp_path, str(state)) as (_, sim):
        assert sim.http.get("/api/accounts").json() == []


def test_in_memory_nothing_is_written(tmp_path: Path) -> None:
    with _program(tmp_path / "log", ":memory:") as (child, sim):
        sim.send()
        child.stop()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["platform.log"]


def test_a_port_in_use_is_one_clear_line(sim: Sim, tmp_path: Path) -> None:
    taken = Child(part(httpx.URL(sim.url).port or 0, ":memory:"), tmp_path)
    taken.start()
    with pytest.raises(NotStartedError, match="address already in use"):
        taken.wait_until_ready()
    assert len(taken.output().splitlines()) == 1


@pytest.mark.parametrize(
    "switch", ["error-rate=2", "speed=1", "down", "latency=x", "jitter=-1", "fans=maybe", "fans=-1"]
)
def test_a_senseless_switch_is_refused(switch: str) -> None:
    with pytest.raises(ValueError, match=r"\w+: "):
        switches.apply(Simulator(Memory(), []), [switch])


def test_a_senseless_switch_is_one_clear_line(tmp_path: Path) -> None:
    child = Child(part(0, ":memory:", ["--simulate", "error-rate=2"]), tmp_path)
    child.start()
    with pytest.raises(NotStartedError):
        child.wait_until_ready()
    assert len(child.output().splitlines()) == 1
    assert child.output().startswith("platform: ")


def test_switches_become_rules() -> None:
    sim = Simulator(Memory(), [])
    faults = sim.faults
    switches.apply(sim, ["error-rate=0.2", "latency=0.3", "jitter=0.2", "down=1", "seed=7"])
    assert [(rule["kind"], rule["call"], rule["probability"]) for rule in faults.listed()] == [
        ("down", "any", 1),
        ("status", "send", 0.2),
        ("latency", "any", 1),
    ]
    assert (faults.listed()[2]["seconds"], faults.listed()[2]["jitter"]) == (0.3, 0.2)
    quiet = Simulator(Memory(), [])
    switches.apply(quiet, ["error-rate=0", "down=0"])
    assert not quiet.faults


def test_fans_are_quiet_until_somebody_asks_for_them() -> None:
    sim = Simulator(Memory(), [])
    for given, seconds in (([], 0), (["fans=on"], 15), (["fans=on", "fans=off"], 0), (["fans=3"], 3)):
        switches.apply(sim, given)
        assert sim.settings.fans_every == seconds
