"""A database that is away for a while: an SQLite file that somebody locks, a PostgreSQL that lets nobody in."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import make_url


@contextmanager
def away(url: str) -> Iterator[None]:
    """Inside, nothing can be written (SQLite), or nobody is let in and all are thrown out (PostgreSQL)."""
    with _locked(url) if url.startswith("sqlite") else _shut(url):
        yield


@contextmanager
def _locked(url: str) -> Iterator[None]:
    file = make_url(url).database
    assert file is not None
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as link:
        link.execute("BEGIN EXCLUSIVE")
        yield
        link.execute("ROLLBACK")


@contextmanager
def _shut(url: str) -> Iterator[None]:
    parts = make_url(url)
    server = parts.set(database="postgres", drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as link:
        link.execute(f"ALTER DATABASE {parts.database} ALLOW_CONNECTIONS false")
        link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [parts.database])
        yield
        link.execute(f"ALTER DATABASE {parts.database} ALLOW_CONNECTIONS true")
