"""What survives a restart: an SQLite file, written behind, twice a second, never on a request's path."""

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

WRITE_EVERY_SECONDS = 0.5
_SCHEMA = "CREATE TABLE IF NOT EXISTS records (kind TEXT, id, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID"
_PUT = "INSERT OR REPLACE INTO records (kind, id, body) VALUES (?, ?, ?)"
_DROP = "DELETE FROM records WHERE kind = ? AND id = ?"

Name = tuple[str, int | str]


class Memory:
    """A store that keeps nothing."""

    def keep(self, kind: str, name: int | str, thing: object | None) -> None:
        """Let it pass."""

    def begin(self) -> None:
        """Nothing to write."""

    def clear(self) -> None:
        """Nothing to forget."""

    def records(self, _kind: str) -> Iterator[dict[str, object]]:
        """Yield nothing."""
        yield from ()

    def close(self) -> None:
        """Nothing to write."""


class Store:
    """Keeps dataclasses with slots under a kind and a name; a thread of its own writes what changed."""

    def __init__(self, path: Path, stored: Mapping[str, type]) -> None:
        """Open or make the file; one whose things had other fields is emptied. `stored`: a dataclass for each kind."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._changed: dict[Name, object | None] = {}
        self._all_gone = False
        self._ends = threading.Event()
        with closing(self._connect()) as connection:
            connection.execute(_SCHEMA)
            version = zlib.crc32(repr([(kind, _slots(made)) for kind, made in stored.items()]).encode()) & 0x7FFFFFFF
            if connection.execute("PRAGMA user_version").fetchone() != (version,):
                with connection:
                    connection.execute("DELETE FROM records")
                    connection.execute(f"PRAGMA user_version = {version}")
        self._writer = threading.Thread(target=self._write_on, name="store", daemon=True)

    def begin(self) -> None:
        """Write from now on: what was kept before came out of the file."""
        self._changed.clear()
        self._writer.start()

    def keep(self, kind: str, name: int | str, thing: object | None) -> None:
        """Write the thing, as it is by then, with the next batch; None: forget what has that name."""
        with self._lock:
            self._changed[kind, name] = thing

    def clear(self) -> None:
        """Forget everything with the next batch."""
        with self._lock:
            self._changed, self._all_gone = {}, True

    def records(self, kind: str) -> Iterator[dict[str, object]]:
        """Yield what was kept of a kind, in no order."""
        with closing(self._connect()) as connection:
            for (body,) in connection.execute("SELECT body FROM records WHERE kind = ?", (kind,)):
                yield json.loads(body)

    def close(self) -> None:
        """Write what is left, and end the thread."""
        self._ends.set()
        if self._writer.is_alive():
            self._writer.join()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # a killed process loses nothing; a killed machine is no case
        return connection

    def _write_on(self) -> None:
        with closing(self._connect()) as connection:
            while not self._ends.wait(WRITE_EVERY_SECONDS):
                self._write(connection)
            self._write(connection)

    def _write(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
            all_gone, self._all_gone = self._all_gone, False
        if not changed and not all_gone:
            return
        with connection:
            if all_gone:
                connection.execute("DELETE FROM records")
            connection.executemany(_DROP, [name for name, thing in changed.items() if thing is None])
            connection.executemany(_PUT, _rows(changed))


def _rows(changed: dict[Name, object | None]) -> Iterator[tuple[str, int | str, str]]:
    for (kind, name), thing in changed.items():
        if thing is not None:
            yield kind, name, json.dumps(_fields(thing))


def _fields(thing: object) -> dict[str, object]:
    return {name: getattr(thing, name) for name in _slots(type(thing))}


def _slots(kind: type) -> tuple[str, ...]:
    return tuple(kind.__dict__["__slots__"])
