"""The audit at the platform's door: nothing lost, nothing twice, within the limit, in order."""

from collections import Counter
from itertools import pairwise

from app.messages.models import Message, Status
from embedded.platform.journal import stem
from tests.embedded.platform.sim import Json
from tests.journeys.authors import FINAL, Author
from tests.journeys.house import GAP, LIMIT, WINDOW
from tests.journeys.waiting import until

IN_FLIGHT_MOST = 3
# Calls start by Redis' clock; on their way to the door, threads and processes of a busy machine shift them a little.
GAP_AT_THE_DOOR = GAP / 2


def audit(author: Author, limit: int = LIMIT, window: float = WINDOW, gap: float = GAP_AT_THE_DOOR) -> Json:
    """Check all that must hold once an account's messages have come to their ends; the platform's figures."""
    author.wait_until_final()
    until(lambda: author.sim.summary(author.platform_id, window)["running"] == 0, "calls still run")
    figures, entries, rows = author.sim.summary(author.platform_id, window), author.entries(), author.messages()
    story = author.story()
    assert figures["worst_window"] <= limit, f"{figures}\n{story}"
    assert (figures["smallest_gap"] or gap) >= gap, f"{figures}\n{story}"
    assert figures["in_flight_max"] <= IN_FLIGHT_MOST, f"{figures}\n{story}"
    assert {entry["retry_count"] for entry in entries} <= {0}, story
    assert figures["duplicates"] == 0, story
    _check_fates(rows, entries, story)
    _check_bodies(rows, entries, story)
    _check_order(rows, entries, story)
    return figures


def _check_fates(rows: list[Message], entries: list[Json], story: str) -> None:
    """A message is sent exactly when it stands in its chat, once, and the row knows under which id."""
    arrived = {stem(entry["key"]): entry for entry in entries if entry["delivered_at"] is not None}
    times = Counter(stem(entry["key"]) for entry in entries if entry["delivered_at"] is not None)
    assert set(times.values()) <= {1}, story
    for row in rows:
        assert row.status in FINAL, story
        if row.status == Status.SENT:
            assert row.public_id in arrived, f"{row.public_id} never arrived\n{story}"
            assert row.platform_message_id == str(arrived[row.public_id]["message_id"]), story
        elif row.status != Status.UNKNOWN:
            assert row.public_id not in arrived, f"{row.public_id} arrived after all\n{story}"
    assert set(times) <= {row.public_id for row in rows}, story


def _check_bodies(rows: list[Message], entries: list[Json], story: str) -> None:
    """Every call carries its message's key and, at each attempt, the very same body."""
    by_id = {row.public_id: row for row in rows}
    for entry in entries:
        row = by_id[stem(entry["key"])]
        assert entry["text"] in (row.text, None), story  # None: the connection was dropped before it was read
        assert round((entry["price"] or 0) * 100) == row.price_cents, story
        assert entry["key"] == row.public_id or row.key_generation > 0, story


def _check_order(rows: list[Message], entries: list[Json], story: str) -> None:
    """Messages of one conversation and one priority arrive in the order (due time, id)."""
    at = {stem(entry["key"]): entry["delivered_at"] for entry in entries if entry["delivered_at"] is not None}
    lines: dict[tuple[int, int], list[Message]] = {}
    for row in sorted(rows, key=lambda row: (row.due_at, row.id)):
        if row.status == Status.SENT:
            lines.setdefault((row.conversation_id, row.priority), []).append(row)
    for line in lines.values():
        for earlier, later in pairwise(line):
            assert at[earlier.public_id] < at[later.public_id], f"{later.public_id} overtook\n{story}"
