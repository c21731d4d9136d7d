"""What runs again and again stays quick with many rows: it finds its rows by an index, on both databases."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, Table, event, text

from app.accounts.models import Account
from app.conversations import service as conversations
from app.db import database_now, transaction
from app.extensions import db
from app.fans import service as fans
from app.messages import backlog, claims, handover, upkeep
from app.messages.models import Message
from tests.messages.line import queue
from tests.support.cast import Cast

ROWS = 20_000
TABLE = cast(Table, Message.__table__)


@pytest.fixture
def crowd(any_database: str, cast: Cast) -> Cast:
    """20,000 messages: most were sent, 2,000 wait in three lines, a few are in every other state."""
    model = queue(cast.ada, cast.conversations[0])
    now = database_now()
    columns = {column.name: getattr(model, column.name) for column in TABLE.columns if column.name != "id"}
    with transaction():
        accounts = (cast.account, cast.beas_account, cast.eves_account)
        places = [_place(account, number) for account in accounts for number in range(60)]
        rows = [columns | {"public_id": f"msg_{n}"} | places[n // 10 % 180] | _state(n, now) for n in range(ROWS)]
        db.session.connection().execute(TABLE.insert(), rows)
        if db.session.get_bind().dialect.name == "postgresql":
            db.session.execute(text("ANALYZE message"))
    return cast


def _place(account: Account, number: int) -> dict[str, object]:
    conversation = conversations.open_with(fans.ensure(account.id, str(7000 + number)))
    return {"account_id": account.id, "fan_id": conversation.fan_id, "conversation_id": conversation.id}


def _state(number: int, now: datetime) -> dict[str, object]:
    if number % 10:
        return {"status": "sent", "sent_at": now, "platform_message_id": str(number)}
    rare: dict[int, dict[str, object]] = {
        0: {"next_step": "look_up", "first_unclear_at": now - timedelta(minutes=5), "next_attempt_at": now},
        10: {"status": "sending", "lease_until": now + timedelta(seconds=30), "claim_id": "c"},
        20: {"status": "scheduled", "due_at": now + timedelta(hours=1)},
        30: {"status": "failed", "failed_at": now, "dead_lettered_at": now},
        40: {"received_at": None, "published_at": now},
    }
    return rare.get(number % 1000, {"due_at": now - timedelta(seconds=number)})


@contextmanager
def _statements() -> Iterator[list[tuple[str, Any]]]:
    """What is executed inside the block, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _plan(statement: str, parameters: Any) -> str:
    connection = db.session.connection()
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    return "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))


def _indexes(plan: str) -> set[str]:
    return set(re.findall(r"(?:pk|ix|uq)_message\w*|INTEGER PRIMARY KEY", plan))


REPEATED: Mapping[str, Callable[[Cast], object]] = {
    "ix_message_line": lambda cast: claims.claim_next([cast.account.id]),
    "ix_message_chores": lambda _cast: claims.claim_chores(16),
    "ix_message_scheduled": lambda _cast: upkeep.promote_due(),
    "ix_message_leases": lambda _cast: upkeep.recover_leases(),
    "ix_message_unclear": lambda _cast: upkeep.expire_unclear(),
    "ix_message_unreceived": lambda _cast: handover.claim_unpublished(100),
    "ix_message_to_bury": lambda _cast: handover.claim_dead(100),
    "": lambda _cast: backlog.accounts_with_work(),
}


def test_no_duty_reads_the_whole_table(crowd: Cast) -> None:
    for index, duty in REPEATED.items():
        with _statements() as seen:
            duty(crowd)
        about_messages = [(s, p) for s, p in seen if re.search(r"\bmessage\b", s) and not s.startswith("INSERT")]
        plans = [_plan(statement, parameters) for statement, parameters in about_messages]
        scans = re.findall(r"SCAN (?:message|m|c|b|o)\b(?! USING)[^']*|Seq Scan on message", "\n".join(plans))
        assert scans == [], plans
        assert not index or index in _indexes("\n".join(plans)), (index, plans)
