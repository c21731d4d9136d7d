"""Questions of somebody who only looks: outside of transactions, and the short ones past SQLAlchemy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVarTuple

from sqlalchemy import Dialect, Engine, Row, Select

from app.extensions import db

Columns = TypeVarTuple("Columns")


def read(statement: Select[*Columns], values: Mapping[str, Any]) -> Sequence[Row[*Columns]]:
    """The rows of one query for somebody who only looks: it joins an open transaction, and opens none.

    That spares the round trips that begin and end one.
    """
    if db.session.registry.has() and db.session().in_transaction():
        return db.session.connection().execute(statement, values).all()
    with _readers(db.engine).connect() as connection:
        return connection.execute(statement, values).all()


def glance(statement: Select[*Columns], values: Mapping[str, Any]) -> tuple[*Columns] | None:
    """The first row of a short question that is asked all the time: numbers and texts as the driver gives them.

    `statement` is one that is built once: SQLAlchemy takes longer to ask than the database to answer, so that only its
    text and its connections are used.
    """
    if db.session.registry.has() and db.session().in_transaction():
        return db.session.connection().execute(statement, values).first()
    with db.engine.connect() as connection:
        try:
            found: tuple[*Columns] | None = _ask(
                connection.connection.driver_connection, _question(statement, connection.dialect), values
            )
            return found
        except _errors(connection.dialect):
            # It says what is wrong in the words that everybody knows.
            return connection.execute(statement, values).first()


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement as a driver takes it: `names` of its values in their order, and those that are always the same."""

    text: str
    names: Sequence[str] | None
    always: Mapping[str, Any]


@lru_cache(maxsize=64)
def _question(statement: Select[Any], dialect: Dialect) -> _Question:
    compiled = statement.compile(dialect=dialect)
    always = {name: value for name, value in compiled.params.items() if value is not None}
    return _Question(compiled.string, compiled.positiontup, always)


def _ask(driver: Any, question: _Question, values: Mapping[str, Any]) -> Any:
    values = {**question.always, **values}
    if question.names is not None:
        return driver.execute(question.text, [values[name] for name in question.names]).fetchone()
    # Else the driver would begin a transaction: one more round trip there, and one to end it.
    driver.autocommit = True
    try:
        return driver.execute(question.text, values, prepare=True).fetchone()
    finally:
        driver.autocommit = False


def _errors(dialect: Dialect) -> type[Exception]:
    found: type[Exception] = dialect.loaded_dbapi.Error
    return found


@lru_cache(maxsize=4)
def _readers(engine: Engine) -> Engine:
    # SQLite's driver begins nothing for a SELECT.
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="AUTOCOMMIT")
