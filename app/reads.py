"""Questions of somebody who only looks: outside of transactions, and the short ones past SQLAlchemy.

On PostgreSQL they have connections of their own, on which nothing begins and nothing is rolled back: a rollback makes
psycopg forget every statement that the server has prepared.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from sqlite3 import Connection as SQLiteConnection
from typing import Any, TypeVarTuple

from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import ColumnElement, Dialect, Engine, PoolProxiedConnection, Row, Select
from sqlalchemy.engine.default import DefaultDialect

from app.extensions import db

Columns = TypeVarTuple("Columns")
BIND = "reads"
_numbers = itertools.count(1)


def bind(url: str, options: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """For Flask-SQLAlchemy on PostgreSQL: the readers' own engine, with the options of the other one."""
    return {BIND: {**options, "url": url, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}}


def readers() -> Engine:
    """The engine whose connections only look."""
    # SQLite's driver begins nothing for a SELECT: there it is everybody's.
    return db.engines.get(BIND, db.engine)


def read(statement: Select[*Columns], values: Mapping[str, Any]) -> Sequence[Row[*Columns]]:
    """The rows of one query for somebody who only looks: it joins an open transaction, and opens none.

    That spares the round trips that begin and end one.
    """
    if db.session.registry.has() and db.session().in_transaction():
        return db.session.connection().execute(statement, values).all()
    with readers().connect() as connection:
        return connection.execute(statement, values).all()


def glance(statement: Select[*Columns], values: Mapping[str, Any]) -> Sequence[tuple[*Columns]]:
    """The few rows of a short question that is asked all the time; numbers and texts come out.

    `statement` is one that is built once. SQLAlchemy takes longer to ask than the database to answer, so that only its
    text and its connections are used; and PostgreSQL is asked by one call of libpq, because each of the many that
    psycopg makes for a query hands the interpreter to another thread.
    """
    if db.session.registry.has() and db.session().in_transaction():
        return db.session.connection().execute(statement, values).all()
    engine = readers()
    try:
        with closing(engine.raw_connection()) as pooled:
            found: list[tuple[*Columns]] = _ask_or_discard(pooled, _question(statement, engine.dialect), values)
            return found
    except (_errors(engine.dialect), _Refused):
        # A connection that was cut is replaced; and what else is wrong, is said in the words that everybody knows.
        return read(statement, values)


def _ask_or_discard(pooled: PoolProxiedConnection, question: "_Question", values: Mapping[str, Any]) -> Any:
    try:
        return _ask(pooled, question, values)
    except Exception:
        pooled.invalidate()
        raise


class _Refused(Exception):
    """The server had something else to say than an answer."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement as a driver takes it: its text, and how values and columns are read.

    `names` of its values stand in their order, `always` are those that are the same each time, `writers` say how some
    are written that the driver doesn't know; `numbers` says of each column whether it is one.
    """

    text: str
    name: bytes
    names: Sequence[str]
    always: Mapping[str, Any]
    writers: Mapping[str, Callable[[Any], Any]]
    numbers: Sequence[bool]

    def given(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in their order."""
        written = {**self.always, **values}
        for name, write in self.writers.items():
            written[name] = write(written[name])
        return [written[name] for name in self.names]


@lru_cache(maxsize=64)
def _question(statement: Select[Any], dialect: Dialect) -> _Question:
    # As libpq and SQLite write values: `$1` or `?`.
    kind: type[DefaultDialect] = type(dialect)  # type: ignore[assignment]
    compiled = statement.compile(dialect=kind(paramstyle="qmark" if dialect.name == "sqlite" else "numeric_dollar"))
    writers = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()}
    return _Question(
        text=compiled.string,
        name=b"glance_%d" % next(_numbers),
        names=compiled.positiontup or (),
        always={name: value for name, value in compiled.params.items() if value is not None},
        writers={name: write for name, write in writers.items() if write is not None},
        numbers=[_is_number(column) for column in statement.selected_columns],
    )


def _is_number(column: ColumnElement[Any]) -> bool:
    kind = column.type.python_type
    if kind not in (int, str):
        raise TypeError(f"glance() reads numbers and texts: cast {column} to one of them")
    return kind is int


def _ask(pooled: PoolProxiedConnection, question: _Question, values: Mapping[str, Any]) -> Any:
    driver: Any = pooled.driver_connection
    if isinstance(driver, SQLiteConnection):
        return driver.execute(question.text, question.given(values)).fetchall()
    server, encoding = driver.pgconn, driver.info.encoding
    if question.name not in pooled.info:
        _expect(server.prepare(question.name, question.text.encode(encoding)), ExecStatus.COMMAND_OK)
        pooled.info[question.name] = True
    given = [None if value is None else str(value).encode(encoding) for value in question.given(values)]
    answer = _expect(server.exec_prepared(question.name, given), ExecStatus.TUPLES_OK)
    return [_row(answer, line, question.numbers, encoding) for line in range(answer.ntuples)]


def _expect(answer: PGresult, status: ExecStatus) -> PGresult:
    if answer.status != status:
        raise _Refused
    return answer


def _row(answer: PGresult, line: int, numbers: Sequence[bool], encoding: str) -> tuple[Any, ...]:
    cells = (answer.get_value(line, place) for place in range(len(numbers)))
    return tuple(
        [
            None if cell is None else int(cell) if number else cell.decode(encoding)
            for cell, number in zip(cells, numbers, strict=True)
        ]
    )


def _errors(dialect: Dialect) -> type[Exception]:
    found: type[Exception] = dialect.loaded_dbapi.Error
    return found
