"""The store of first answers: a key repeated within 24 hours gets the answer it got before."""

import hashlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from embedded.platform.answers import Body

KEPT_SECONDS = 24 * 3600.0
NEVER_KEPT = {408, 429}

_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

Scope = tuple[str, str, str]


@dataclass(slots=True)
class Kept:
    """A key's first call: still running while `status` is 0, else its answer, a message's id or a body."""

    team: str
    account: str
    key: str
    fingerprint: str
    at: float
    status: int = 0
    message_id: int | None = None
    body: Body = ""

    @property
    def scope(self) -> Scope:
        """Return what the key is unique in; one endpoint takes keys, so it isn't named."""
        return (self.team, self.account, self.key)

    @property
    def name(self) -> str:
        """Return the name under which it is stored."""
        return "/".join(self.scope)


class Idempotency:
    """Keys and their first answers; what changes is handed to `keep`, as None what ends."""

    def __init__(self, keep: Callable[[str, int | str, object | None], None]) -> None:
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._kept: dict[Scope, Kept] = {}
        self._by_age: deque[Kept] = deque()

    def find(self, scope: Scope, now: float) -> Kept | None:
        """Return the key's first call, unless its 24 hours are over."""
        kept = self._kept.get(scope)
        return kept if kept is not None and kept.at + KEPT_SECONDS > now else None

    def begin(self, scope: Scope, fingerprint: str, now: float) -> Kept:
        """Take note that the key's first call runs now."""
        self._forget_old(now)
        kept = self._kept[scope] = Kept(*scope, fingerprint, now)
        return kept

    def finish(self, kept: Kept, status: int, message_id: int | None, body: Body) -> None:
        """Keep the first answer, unless it is of those that are never kept: 5xx, 408 and 429."""
        if status >= 500 or status in NEVER_KEPT:
            return self.release(kept)
        kept.status, kept.message_id, kept.body = status, message_id, body
        self._by_age.append(kept)
        return self._keep("key", kept.name, kept)

    def release(self, kept: Kept) -> None:
        """Forget a call that ended without an answer to keep."""
        if self._kept.get(kept.scope) is kept:
            del self._kept[kept.scope]

    def load(self, kept: Kept) -> None:
        """Take up an answer from an earlier life of the program."""
        self._kept[kept.scope] = kept
        self._by_age.append(kept)

    def _forget_old(self, now: float) -> None:
        while self._by_age and self._by_age[0].at + KEPT_SECONDS <= now:
            old = self._by_age.popleft()
            self._keep("key", old.name, None)
            self.release(old)


def fingerprint(chat: str, payload: object) -> str:
    """Return what tells another request from the same one: chat and body, whatever the order of its fields."""
    text = _JSON.encode([chat, payload])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def is_valid(key: str) -> bool:
    """Tell whether the header's value may be a key: 1 to 255 printable ASCII characters."""
    return 1 <= len(key) <= 255 and key.isascii() and key.isprintable()
