"""A recorder of SQL statements, against N+1 and against work that nobody asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from app import reads

_ask = reads._ask
_open: list[list[str]] = []


@contextmanager
def count_queries() -> Iterator[list[str]]:
    """Yield the list of statements that are executed inside the block, by any thread: `len()` counts them."""
    statements: list[str] = []
    _open.append(statements)
    try:
        yield statements
    finally:
        _open.remove(statements)


# Listens for ever: a connection that was opened before a listener came wouldn't tell it anything.
@event.listens_for(Engine, "before_cursor_execute")
def _record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
    for statements in _open:
        statements.append(statement)


def _record_glance(pooled: Any, question: Any, values: Any) -> object:
    """What is asked past SQLAlchemy counts as well."""
    for statements in _open:
        statements.append(question.text)
    return _ask(pooled, question, values)


reads._ask = _record_glance
