"""The journal of every call that sends, and the figures that can be read from it; it trusts nobody's word."""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

CAPACITY = 500_000
# Only behind something as long as a message's id: `order-7` and `order-8` are two messages.
GENERATION = re.compile(r"(?<=^.{32})(.*)[.:/#_-][a-z]?\d{1,4}$")


@dataclass(slots=True)
class Entry:
    """One call that sends, from its arrival to its end; times in wall-clock seconds."""

    seq: int
    account: str
    chat: str
    at: float
    key: str | None
    retry_count: int | None
    text: str | None = None
    price: float | None = None
    outcome: str = "running"
    status: int | None = None
    message_id: int | None = None
    delivered_at: float | None = None
    end: float | None = None
    left: bool = False


@dataclass(slots=True)
class Tally:
    """One account's share of the journal."""

    entries: deque[Entry] = field(default_factory=deque)
    delivered: deque[Entry] = field(default_factory=deque)
    calls: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    too_close: int = 0
    in_flight: int = 0
    in_flight_max: int = 0

    def forget(self, oldest: Entry) -> None:
        """Let the oldest entry go."""
        self.entries.popleft()
        while self.delivered and self.delivered[0].seq <= oldest.seq:
            self.delivered.popleft()


class Journal:
    """The newest `capacity` entries, in order of arrival; what changes is handed to `keep`, as None what ends."""

    def __init__(self, keep: Callable[[str, int | str, object | None], None], capacity: int = CAPACITY) -> None:
        self._keep = keep
        self._capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.entries: deque[Entry] = deque()
        self.tallies: dict[str, Tally] = {}
        self.last_seq = 0

    def count(self, account: str, kind: str) -> None:
        """Count a call of any kind; account `""` for those of no account."""
        self.tally(account).calls[kind] += 1

    def tally(self, account: str) -> Tally:
        """Return the account's share."""
        found = self.tallies.get(account)
        if found is None:
            found = self.tallies[account] = Tally()
        return found

    def begin(self, account: str, chat: str, at: float, key: str | None, retry_count: int | None) -> Entry:
        """Write down that a call arrived."""
        entry = Entry(self.last_seq + 1, account, chat, at, key, retry_count)
        tally = self._add(entry)
        tally.in_flight += 1
        tally.in_flight_max = max(tally.in_flight_max, tally.in_flight)
        self._keep("journal", entry.seq, entry)
        return entry

    def load(self, entry: Entry) -> None:
        """Take up an entry from an earlier life of the program, whose running calls were lost with it."""
        if entry.outcome == "running":
            entry.outcome = "dropped"
        tally = self._add(entry)
        tally.calls["send"] += 1
        tally.outcomes[entry.outcome] += 1
        if entry.delivered_at is not None:
            tally.delivered.append(entry)

    def deliver(self, entry: Entry, message_id: int, at: float) -> None:
        """Write down that the call's message is in its chat now, whatever the caller will be told."""
        entry.message_id, entry.delivered_at = message_id, at
        tally = self.tally(entry.account)
        tally.delivered.append(entry)
        self._settle(entry, tally, "delivered")

    def settle(self, entry: Entry, outcome: str, status: int | None) -> None:
        """Write down how the platform answered; `delivered` stays `delivered` whatever was answered."""
        entry.status = status
        self._settle(entry, self.tally(entry.account), outcome)

    def close(self, entry: Entry, at: float, left: bool) -> None:
        """Write down that the caller has its answer, lost its connection, or left before."""
        entry.end, entry.left = at, left
        self.tally(entry.account).in_flight -= 1
        self._keep("journal", entry.seq, entry)

    def _known(self, account: str) -> Tally:
        return self.tallies.get(account) or Tally()

    def _settle(self, entry: Entry, tally: Tally, outcome: str) -> None:
        if entry.outcome == "running":
            entry.outcome = outcome
            tally.outcomes[outcome] += 1
        self._keep("journal", entry.seq, entry)

    def _add(self, entry: Entry) -> Tally:
        self.last_seq = max(self.last_seq, entry.seq)
        self.entries.append(entry)
        tally = self.tally(entry.account)
        tally.entries.append(entry)
        if len(self.entries) > self._capacity:
            oldest = self.entries.popleft()
            self.tallies[oldest.account].forget(oldest)
            self._keep("journal", oldest.seq, None)
        return tally

    def page(self, account: str | None, after: int, limit: int) -> list[Entry]:
        """Return the next entries behind sequence number `after`, oldest first."""
        entries = self.entries if account is None else self._known(account).entries
        return list(islice((entry for entry in entries if entry.seq > after), limit))

    def newest(self, limit: int) -> list[Entry]:
        """Return the newest entries, newest first."""
        return list(islice(reversed(self.entries), limit))

    def deliveries(self, account: str | None) -> list[Entry]:
        """Return the calls that delivered, in order of delivery."""
        tallies = self.tallies.values() if account is None else [self._known(account)]
        found = [entry for tally in tallies for entry in tally.delivered]
        return sorted(found, key=lambda entry: entry.delivered_at or 0.0)

    def most_recent(self, limit: int) -> list[str]:
        """Return the accounts whose calls came last, the last one first."""
        busy = [(tally.entries[-1].seq, account) for account, tally in self.tallies.items() if tally.entries]
        return [account for _, account in sorted(busy, reverse=True)[:limit]]

    def counters(self, account: str) -> dict[str, object]:
        """Return the account's figures that cost nothing to know, for a page that asks again and again."""
        tally = self._known(account)
        return {"account": account, "calls": tally.calls["send"], "in_flight": tally.in_flight, **tally.outcomes}

    def summary(self, account: str, window: float) -> dict[str, object]:
        """Return the account's figures; `window` in seconds."""
        tally = self._known(account)
        entries = list(tally.entries)
        arrivals = sorted(entry.at for entry in entries)
        real = sorted(entry.at for entry in entries if entry.outcome != "replayed")
        outcomes = tally.outcomes
        return {
            "calls": len(entries),
            **{name: outcomes[name] for name in ("delivered", "replayed", "refused", "error", "dropped")},
            "running": tally.in_flight,
            "too_close": tally.too_close,
            "duplicates": duplicates(tally.delivered),
            "same_text": same_text(tally.delivered),
            "worst_window": worst_window(arrivals, window),
            "worst_window_not_replayed": worst_window(real, window),
            "smallest_gap": smallest_gap(arrivals),
            "retry_count_max": max((entry.retry_count or 0 for entry in entries), default=0),
            "in_flight_max": tally.in_flight_max,
            "kinds": dict(tally.calls),
        }


def worst_window(times: Sequence[float], window: float) -> int:
    """Return the most times that lie in any half-open window [t, t + window) seconds; `times` rise."""
    worst = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= window:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def smallest_gap(times: Iterable[float]) -> float | None:
    """Return the least seconds between two times next to each other; None for fewer than two."""
    return min((later - earlier for earlier, later in pairwise(times)), default=None)


def stem(key: str) -> str:
    """Return an idempotency key without its generation: `msg_ab-2` and `msg_ab` are the same message's."""
    return GENERATION.sub(r"\1", key)


def duplicates(delivered: Iterable[Entry]) -> int:
    """Return how many deliveries repeat an earlier one of the same chat and key, generations of a key taken as one."""
    return _repeats((entry.chat, stem(entry.key)) for entry in delivered if entry.key is not None)


def same_text(delivered: Iterable[Entry]) -> int:
    """Return how many deliveries repeat an earlier one's chat, text and price, whatever their keys."""
    return _repeats((entry.chat, entry.text, entry.price) for entry in delivered)


def _repeats(things: Iterator[tuple[object, ...]]) -> int:
    return sum(count - 1 for count in Counter(things).values())
