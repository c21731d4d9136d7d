"""The journal: the figures that everything else is judged by."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.platform import journal
from embedded.platform.journal import Entry, Journal
from tests.embedded.platform.sim import Sim

TIMES = st.lists(st.integers(0, 400), max_size=60).map(lambda ticks: [tick / 4 for tick in sorted(ticks)])


def _entry(key: str | None, chat: str = "7", text: str = "a") -> Entry:
    return Entry(1, "acct_a", chat, 0.0, key, 0, text=text)


@given(TIMES, st.integers(1, 100))
def test_the_worst_window_is_what_counting_every_window_finds(times: Sequence[float], window: float) -> None:
    counted = max((sum(start <= time < start + window for time in times) for start in times), default=0)
    assert journal.worst_window(times, window) == counted


def test_a_window_does_not_hold_its_own_end() -> None:
    assert journal.worst_window([0.0, 60.0], 60) == 1
    assert journal.worst_window([0.0, 59.999], 60) == 2


@given(TIMES)
def test_the_smallest_gap_is_between_neighbours(times: Sequence[float]) -> None:
    gaps = [b - a for i, a in enumerate(times) for b in times[i + 1 :]]
    assert journal.smallest_gap(times) == min(gaps, default=None)


@pytest.mark.parametrize(
    ("keys", "repeats"),
    [
        (["msg_" + "a" * 32, "msg_" + "a" * 32], 1),
        (["msg_" + "a" * 32, "msg_" + "a" * 32 + "-2", "msg_" + "a" * 32 + ":g3"], 2),
        (["msg_" + "a" * 32, "msg_" + "b" * 32], 0),
        (["k-1", "k-2"], 0),
        (["6c1f7f0e-93c0-4f43-a4cb-000000000001", "6c1f7f0e-93c0-4f43-a4cb-000000000002"], 0),
        ([None, None], 0),
    ],
)
def test_a_message_is_a_duplicate_by_its_key_whatever_the_generation(keys: list[str | None], repeats: int) -> None:
    assert journal.duplicates([_entry(key) for key in keys]) == repeats


def test_the_same_words_are_counted_apart() -> None:
    delivered = [_entry("k1"), _entry("k2"), _entry("k3", chat="8"), _entry("k4", text="b")]
    assert (journal.duplicates(delivered), journal.same_text(delivered)) == (0, 1)


def test_only_the_newest_entries_are_kept() -> None:
    forgotten: list[int | str] = []
    kept = Journal(lambda _, name, thing: forgotten.append(name) if thing is None else None, capacity=3)
    for number in range(5):
        entry = kept.begin("acct_a", "7", float(number), None, None)
        kept.deliver(entry, number, float(number))
        kept.close(entry, float(number), left=False)
    assert [entry.seq for entry in kept.entries] == [3, 4, 5]
    assert [entry.seq for entry in kept.deliveries("acct_a")] == [3, 4, 5]
    assert forgotten == [1, 2]
    assert kept.counters("acct_a")["delivered"] == 5


def test_every_call_that_sends_is_written_down_at_its_arrival(sim: Sim) -> None:
    sim.sdk.chats.messages.send("7", account="acct_a", text="One", idempotency_key="k1")
    sim.send(text="Two", price=1)
    first, second = sim.entries()
    expected = {"chat": "7", "key": "k1", "retry_count": 0, "text": "One", "price": None, "left": False}
    assert {name: first[name] for name in expected} == expected
    assert (first["outcome"], first["status"], second["outcome"], second["status"]) == (
        "delivered",
        200,
        "refused",
        422,
    )
    assert first["at"] <= first["delivered_at"] <= first["end"] <= second["at"]
    assert (second["seq"], second["retry_count"], second["message_id"]) == (first["seq"] + 1, None, None)


def test_a_call_without_a_key_that_fits_is_written_down_too(sim: Sim) -> None:
    httpx.post(f"{sim.url}/api/acct_a/chats/7/messages", json={"text": "a"})
    sim.send(account="someone")
    assert (sim.last("acct_a")["status"], sim.last("someone")["status"]) == (401, 404)


def test_the_journal_is_read_page_by_page(sim: Sim) -> None:
    for account in ("acct_a", "acct_b", "acct_a", "acct_a"):
        sim.send(account)
    page = sim.ask("/journal", account="acct_a", limit=2)
    rest = sim.ask("/journal", account="acct_a", after=page["next"], limit=2)
    assert [entry["seq"] for entry in page["entries"] + rest["entries"]] == [1, 3, 4]
    assert rest["next"] is None
    assert [entry["seq"] for entry in sim.ask("/journal", after=2)["entries"]] == [3, 4]


def test_deliveries_come_in_the_order_of_delivery(sim: Sim) -> None:
    sim.fault("latency", seconds=0.3, chat="1")
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(sim.send, chat="1", text="slow", key="k1")
        while not sim.entries():
            pass
        sim.send(chat="2", text="quick", key="k2")
        slow.result()
    assert [(one["text"], one["key"], one["chat"]) for one in sim.deliveries()] == [
        ("quick", "k2", "2"),
        ("slow", "k1", "1"),
    ]
    assert [entry["text"] for entry in sim.entries()] == ["slow", "quick"]


def test_the_summary_adds_up(sim: Sim) -> None:
    for key in ("a", "b", "b", "c"):
        sim.send(key=key)
    sim.send(text="")
    sim.texts()
    expected = {"calls": 5, "delivered": 3, "replayed": 1, "refused": 1, "error": 0, "dropped": 0, "running": 0}
    expected |= {"duplicates": 0, "same_text": 2, "worst_window": 5, "worst_window_not_replayed": 4, "in_flight_max": 1}
    summary = sim.summary()
    assert {name: summary[name] for name in expected} == expected
    assert summary["kinds"] == {"send": 5, "list_messages": 1}
    assert 0 < summary["smallest_gap"] < 1
    assert sim.summary(window=1e-9)["worst_window"] == 1


def test_calls_in_flight_are_counted_at_their_most(sim: Sim) -> None:
    sim.fault("latency", seconds=0.3)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda chat: sim.send(chat=str(chat)), range(3)))
    sim.send()
    assert sim.summary()["in_flight_max"] == 3
    assert sim.summary()["running"] == 0
