"""A batch of rows inside the database: a table of this connection alone, filled at once, so that whole batches meet."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache

import psycopg
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, Table, Text
from sqlalchemy.schema import CreateTable

from app.db import BigId, UtcDateTime
from app.imports.cells import Row

TOLD = 7
"""So many of a Row's fields are kept, in their order."""
STAGED = Table(
    "staged_fan",
    MetaData(),
    Column("line", Integer),
    Column("handle", Text),
    Column("name", Text),
    Column("email", Text),
    Column("tier", Text),
    Column("value_cents", BigId),
    Column("last_seen_at", UtcDateTime),
    Column("fan_id", BigId),
    Column("twins", Boolean),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
NAMES = ", ".join(STAGED.columns.keys()[:TOLD])
MAKE = CreateTable(STAGED, if_not_exists=True)
COPY = f"COPY staged_fan ({NAMES}) FROM STDIN"
INSERT = f"INSERT INTO staged_fan ({NAMES}) VALUES ({', '.join('?' * TOLD)})"  # noqa: S608 - both of our own making

FEW_PAGES = "PRAGMA cache_size=-16384"


@contextmanager
def few_pages(connection: Connection) -> Iterator[None]:
    """Have SQLite hold 16 MB of its file at most: rows of a file come in no order, so that more hardly helps them."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    (usual,) = driver.execute("PRAGMA cache_size").fetchone()
    driver.execute(FEW_PAGES)
    try:
        yield
    finally:
        driver.execute(f"PRAGMA cache_size={usual:d}")


def fill(connection: Connection, rows: Sequence[Row]) -> None:
    """Have these rows, and no other ones, in the table; it is empty again after the transaction."""
    connection.execute(MAKE)
    connection.execute(STAGED.delete())
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        with driver.cursor() as cursor, cursor.copy(COPY) as copy:
            for row in rows:
                copy.write_row(row[:TOLD])
    elif isinstance(driver, sqlite3.Connection):
        driver.executemany(INSERT, [(*row[: TOLD - 1], _stored(row.last_seen_at)) for row in rows])


@lru_cache(maxsize=4096)
def _stored(at: datetime | None) -> str | None:
    """A moment as SQLAlchemy keeps it on SQLite."""
    return None if at is None else at.replace(tzinfo=None).isoformat(" ", "microseconds")
