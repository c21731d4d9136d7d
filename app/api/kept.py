"""Answers to programs that ask all the time: kept in the process, and given again until what they show has changed."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache
from flask import Flask, Response, current_app, request

from app.accounts.tokens import Proof

MOST_BYTES = 16 * 1024 * 1024
ENTRY = 1000
"""Bytes that an answer takes besides its body and its state."""
Found = tuple[Hashable, ...] | None
State = Callable[..., Found]
"""`(proof, query, **path)` → what differs once the answer would: empty when that takes too long to find out, None when
the proof doesn't hold, or what is asked for isn't there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Who asked for what: nobody else gets what is kept here."""

    viewer: int
    path: str
    query: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and the state that it shows."""

    state: tuple[Hashable, ...]
    body: bytes
    etag: str

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return ENTRY + len(repr(self.state)) + len(self.body)


class Answers:
    """The answers that one process keeps, `most_bytes` at the most; the one not asked for the longest goes first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._lock = Lock()
        self._kept: LRUCache[Place, Kept] = LRUCache(most_bytes, getsizeof=lambda one: one.size)

    def find(self, place: Place) -> Kept | None:
        """What was kept at this place last."""
        with self._lock:
            return self._kept.get(place)

    def keep(self, place: Place, answer: Kept) -> None:
        """Keep this answer at this place, unless it is too large or asked for in too long a way."""
        if answer.size <= self._kept.maxsize and len(place.query) <= ENTRY // 4:
            with self._lock:
                self._kept[place] = answer


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a request before anything is read for it: who asks, and the state of what they ask for."""

    proof: Proof
    state: tuple[Hashable, ...]

    def answer(self) -> Response | None:
        """The answer that was kept, if what it shows is still so."""
        kept = _answers().find(self._place)
        if kept is None or kept.state != self.state:
            return None
        return Response(kept.body, mimetype="application/json", headers={"ETag": kept.etag})

    def keep(self, response: Response, state: Found) -> None:
        """Keep an answer that was made in this state; `state` is what it was afterwards, and must be the same."""
        if state == self.state:
            _answers().keep(self._place, Kept(self.state, response.get_data(), response.headers["ETag"]))

    @property
    def _place(self) -> Place:
        return Place(self.proof.viewer, request.path, request.query_string)


def init_app(app: Flask) -> None:
    """Let the app keep answers."""
    app.extensions["kept_answers"] = Answers()


def _answers() -> Answers:
    found: Answers = current_app.extensions["kept_answers"]
    return found
