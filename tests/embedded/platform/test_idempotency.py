"""A key repeated within a day gets its first answer, and never a second message."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from embedded.platform import idempotency
from embedded.platform.idempotency import KEPT_SECONDS, Idempotency
from tests.embedded.platform.sim import Json, Sim


def _keep(kind: str, name: int | str, thing: object | None) -> None:
    pass


def test_a_repeated_key_is_answered_from_the_store(sim: Sim) -> None:
    first, second = sim.send(key="k"), sim.send(key="k")
    assert first.json()["data"] == second.json()["data"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json()["_meta"]["_credits"]["used"] == 0
    assert sim.texts() == ["<p>Hello</p>"]
    assert [entry["outcome"] for entry in sim.entries()] == ["delivered", "replayed"]


def test_an_answer_is_repeated_even_when_its_message_was_deleted(sim: Sim) -> None:
    first = sim.send(key="k").json()["data"]
    assert sim.http.delete(f"/api/acct_a/chats/7/messages/{first['id']}").json()["data"] == {"success": True}
    assert sim.send(key="k").json()["data"] == first
    assert sim.texts() == []


def test_a_key_belongs_to_its_account(sim: Sim) -> None:
    for account in ("acct_a", "acct_b"):
        assert "Idempotent-Replayed" not in sim.send(account, key="k").headers


@pytest.mark.parametrize("change", [{"text": "Other"}, {"text": "Hello", "lockedText": True}])
def test_another_body_under_the_same_key_is_a_mismatch(sim: Sim, change: Json) -> None:
    sim.send(key="k")
    answer = sim.send(key="k", **change)
    assert (answer.status_code, answer.json()["error"]) == (422, "IDEMPOTENCY_KEY_MISMATCH")


def test_another_chat_under_the_same_key_is_a_mismatch(sim: Sim) -> None:
    sim.send(key="k")
    assert sim.send(key="k", chat="8").json()["error"] == "IDEMPOTENCY_KEY_MISMATCH"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_what_can_not_be_a_key_is_refused(sim: Sim, key: str) -> None:
    answer = sim.send(key=key)
    assert (answer.status_code, answer.json()["error"]) == (400, "IDEMPOTENCY_KEY_INVALID")


def test_a_key_whose_first_call_still_runs_is_a_conflict(sim: Sim) -> None:
    sim.fault("latency", seconds=0.4, times=1)
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: sim.send(key="k"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 409} == {"IDEMPOTENCY_CONFLICT"}
    assert len(sim.deliveries()) == 1


@pytest.mark.parametrize(("status", "is_kept"), [(400, True), (402, True), (408, False), (429, False), (503, False)])
def test_refusals_are_kept_and_failures_are_not(sim: Sim, status: int, is_kept: bool) -> None:
    sim.fault("status", status=status, times=1)
    assert sim.send(key="k").status_code == status
    again = sim.send(key="k")
    assert again.status_code == (status if is_kept else 200)
    assert ("Idempotent-Replayed" in again.headers) == is_kept
    assert len(sim.deliveries()) == (0 if is_kept else 1)


def test_an_expired_session_is_kept_too(sim: Sim) -> None:
    sim.fault("unauthorized", account="acct_a", times=1)
    assert [sim.send(key=key).status_code for key in ("k", "k", "k2")] == [401, 401, 200]


def test_an_answer_is_kept_a_day() -> None:
    store = Idempotency(_keep)
    scope = ("team", "acct_a", "k")
    store.finish(store.begin(scope, "print", 1000.0), 200, 1, "")
    assert store.find(scope, 1000.0 + KEPT_SECONDS - 1) is not None
    assert store.find(scope, 1000.0 + KEPT_SECONDS) is None
    store.begin(("team", "acct_a", "k2"), "print", 1000.0 + KEPT_SECONDS)
    assert scope not in store._kept


def test_a_body_is_the_same_whatever_the_order_of_its_fields() -> None:
    one, other = {"text": "a", "price": 3}, {"price": 3, "text": "a"}
    assert idempotency.fingerprint("7", one) == idempotency.fingerprint("7", other)
    assert idempotency.fingerprint("7", one) != idempotency.fingerprint("8", one)
