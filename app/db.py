"""The only commit in the program, the database's own clock, and the column types that every room shares."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache, lru_cache
from sqlite3 import Connection as SQLiteConnection
from threading import RLock
from typing import Any, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    ColumnDefault,
    DateTime,
    Dialect,
    Engine,
    Integer,
    String,
    Table,
    TypeDecorator,
    bindparam,
    event,
    insert,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.functions import FunctionElement

from app.extensions import Model, db

Kind = TypeVar("Kind", bound=Model)
log = logging.getLogger(__name__)
# Shorter than any restart of a database, so that nobody meets the connections from before it.
RESTED = 1.0
BigId = BigInteger().with_variant(Integer(), "sqlite")
NOW = {
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "postgresql": "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on every database; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware → what the database stores (SQLite: naive UTC)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What the database stores → aware UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value if value.tzinfo is UTC else value.astimezone(UTC)


@contextmanager
def transaction() -> Iterator[None]:
    """Commit what is done inside, or nothing of it; inside another one it joins that one."""
    info = db.session().info
    if info.get("in_transaction", False):
        yield
        return
    with _writers.turn():
        info["in_transaction"] = True
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            info.pop("effects", None)
            raise
        finally:
            info["in_transaction"] = False
    _run_effects(info.pop("effects", []))


class _Writers:
    """On SQLite, where one writes at a time, the threads of a process wait for each other and not for its lock.

    Whoever finds that taken sleeps longer each time, while others who come later overtake.
    """

    def __init__(self) -> None:
        self._begin()
        # Whoever holds it doesn't go on in a fork.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self.lock = RLock()

    def turn(self) -> AbstractContextManager[object]:
        """To be held from the first to the last statement of a transaction."""
        return self.lock if db.engine.dialect.name == "sqlite" else nullcontext()


_writers = _Writers()


def on_commit(effect: Callable[[], object]) -> None:
    """Run `effect` after the outermost transaction has committed; its failure is logged, never raised.

    Raises RuntimeError outside of a transaction: it would wait for somebody else's commit.
    """
    if not db.session().info.get("in_transaction", False):
        raise RuntimeError("on_commit() belongs inside transaction()")
    db.session().info.setdefault("effects", []).append(effect)


def _run_effects(effects: list[Callable[[], object]]) -> None:
    for effect in effects:
        try:
            effect()
        except Exception:
            log.exception("effect_failed")


def database_now() -> datetime:
    """The database's clock (one small query), aware UTC: for leases, attempts and due times."""
    connection = db.session.connection()
    # Asked before nearly every write: as plain text for the driver, it costs a quarter of a compiled query.
    value: str = connection.exec_driver_sql(NOW[connection.dialect.name]).scalar_one()
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


class Clock(FunctionElement[datetime]):
    """The database's clock inside of a statement, where `database_now` would be a round trip more."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(Clock, "sqlite")
def _clock_of_sqlite(_clock: Clock, _compiler: SQLCompiler, **_options: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(Clock, "postgresql")
def _clock_of_postgresql(_clock: Clock, _compiler: SQLCompiler, **_options: Any) -> str:
    return "clock_timestamp()"


def moment_of(text: str) -> datetime:
    """What a moment's column stands for that was read as text, aware UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class Written(FunctionElement[str]):
    """A moment's column as text, `2026-11-01T12:00:00Z`: in long lists, quicker than by `clock.iso`."""

    type = String()
    inherit_cache = True


@compiles(Written, "sqlite")
def _written_by_sqlite(written: Written, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(written.clauses, **options)
    return f"substr({moment}, 1, 10) || 'T' || substr({moment}, 12, 8) || 'Z'"


@compiles(Written, "postgresql")
def _written_by_postgresql(written: Written, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(written.clauses, **options)
    return f"to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"


class Joined(FunctionElement[str]):
    """The texts of many rows as one, a space between them."""

    type = String()
    inherit_cache = True


@compiles(Joined, "sqlite")
def _joined_by_sqlite(joined: Joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(joined.clauses, **options)}, ' ')"


@compiles(Joined, "postgresql")
def _joined_by_postgresql(joined: Joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(joined.clauses, **options)}, ' ')"


@event.listens_for(Engine, "connect")
def _tune_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    if not isinstance(connection, SQLiteConnection):
        return
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=15000",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@event.listens_for(Pool, "checkin")
def _note_rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _ask_after_a_rest(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """A connection that rested may have been cut; to ask before each use would cost a round trip every time."""
    rests_since = record.info.get("rests_since")
    if rests_since is None or time.monotonic() - rests_since < RESTED or isinstance(connection, SQLiteConnection):
        return
    try:
        connection.cursor().execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        # The pool takes it for cut, and opens another one.
        raise DisconnectionError from error


@compiles(CreateIndex, "sqlite")
def _index_without_nulls_first(index: CreateIndex, compiler: DDLCompiler, **options: Any) -> str:
    # SQLite always puts nulls first in an index, and refuses to be told so.
    ddl: str = compiler.visit_create_index(index, **options)  # type: ignore[no-untyped-call]
    return ddl.replace(" NULLS FIRST", "")


def insert_unless_there(table: type[Model], rows: list[dict[str, Any]]) -> None:
    """Insert `rows` (column name → value), leaving out those that a unique constraint refuses."""
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    db.session.execute(insert(table).on_conflict_do_nothing(), rows)


def insert_one(table: type[Kind], values: dict[str, Any]) -> Kind:
    """Insert a row at once, and give it as an object of the session; what `values` doesn't say is as by default.

    A flush would do the same, and look through all that the session holds, which takes longer than the insert.
    """
    defaults = {name: default(None) if callable(default) else default for name, default in _defaults(table).items()}
    told = {name: value for name, value in (defaults | values).items() if value is not None}
    row = dict.fromkeys(table.__table__.columns.keys()) | told
    row["id"] = db.session.connection().execute(_insertion(table, tuple(told)), told).scalar_one()
    made = table()
    instance_dict(made).update(row)
    make_transient_to_detached(made)
    db.session.add(made)
    return made


@cache
def _defaults(kind: type[Model]) -> dict[str, Any]:
    """Column → a value, or a function of a context."""
    columns = cast(Table, kind.__table__).columns
    return {column.name: column.default.arg for column in columns if isinstance(column.default, ColumnDefault)}


@lru_cache(maxsize=32)
def _insertion(kind: type[Model], names: tuple[str, ...]) -> ReturningInsert[int]:
    table = cast(Table, kind.__table__)
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return insert(table).values(values).returning(table.c.id)
