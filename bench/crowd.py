"""A full deployment for the API's benchmark: creators, fans and a million messages, written by the database itself."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import Select, insert, literal_column, select, text

from app.accounts import service, tokens
from app.accounts.models import Account, Membership, Role, User
from app.conversations.models import Conversation
from app.extensions import Model, db
from app.fans.models import Fan
from app.messages.models import Message

ACCOUNTS, FANS, MESSAGES = 200, 50_000, 1_000_000
FANS_EACH, MESSAGES_EACH = FANS // ACCOUNTS, MESSAGES // ACCOUNTS
BUSY = 10
"""So many conversations of an account hold half of its messages: 260 each, the others 10."""
CREATORS = 16
TEXT = "Thank you so much for the lovely message! The new set is up on Friday evening, stay tuned. Number "
MANAGER = "agency@example.com"
PASSWORD = "bench-password-1"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who calls: access tokens of creators with one account each, and of the manager of them all; all ids from 1."""

    creators: list[str]
    manager: str


def fill(app: Flask) -> Crowd:
    """Write it all (about a minute)."""
    with app.app_context():
        _people()
        _fans()
        _messages()
        _count_on()
        db.session.commit()
        _settle()
        users = [db.session.get_one(User, number) for number in range(1, CREATORS + 1)]
        manager = db.session.scalars(select(User).where(User.email == MANAGER)).one()
        keys = tokens.Keys(app.extensions["settings"].jwt_secret_key)
        held = [tokens.issue(user, keys).access_token for user in [*users, manager]]
        return Crowd(held[:-1], held[-1])


def busy_conversations(account_id: int) -> list[int]:
    """Ids of the account's conversations with 260 messages."""
    return [(account_id - 1) * FANS_EACH + 1 + n for n in range(BUSY)]


def _people() -> None:
    first = service.create_user("creator1@example.com", "Creator 1", Role.CREATOR, PASSWORD)
    shared = {"password_hash": first.password_hash, "role": Role.CREATOR}
    ids = range(1, ACCOUNTS + 1)
    db.session.execute(
        insert(User),
        [shared | {"id": i, "email": f"creator{i}@example.com", "name": f"Creator {i}"} for i in ids[1:]]
        + [shared | {"id": ACCOUNTS + 1, "email": MANAGER, "name": "Agency", "role": Role.MANAGER}],
    )
    db.session.execute(
        insert(Account),
        [{"id": i, "platform_id": f"acct_bench_{i}", "owner_id": i, "display_name": f"Account {i}"} for i in ids],
    )
    db.session.execute(insert(Membership), [{"account_id": i, "user_id": ACCOUNTS + 1} for i in ids])


def _fans() -> None:
    account = f"n / {FANS_EACH} + 1"
    _insert(Fan, FANS, id="n + 1", account_id=account, platform_id="n + 1", name="'Fan ' || n", handle="'fan_' || n")
    _insert(
        Conversation,
        FANS,
        id="n + 1",
        account_id=account,
        fan_id="n + 1",
        last_message=f"'{TEXT}' || n",
        last_message_at=_ago(f"n % {FANS_EACH} * 60"),
        unread_count="n % 3",
    )


def _messages() -> None:
    place = f"(n % {MESSAGES_EACH})"
    seat = f"CASE WHEN n % 2 = 0 THEN {place} / 2 % {BUSY} ELSE {place} / 2 % {FANS_EACH} END"
    conversation = f"n / {MESSAGES_EACH} * {FANS_EACH} + 1 + {seat}"
    moment = _ago(f"{place} * 600 + 600")
    times = dict.fromkeys(("created_at", "due_at", "queued_at", "published_at", "received_at", "sent_at"), moment)
    _insert(
        Message,
        MESSAGES,
        public_id="'msg_' || " + ("lower(hex(randomblob(16)))" if _on_sqlite() else "md5(n::text)"),
        account_id=f"n / {MESSAGES_EACH} + 1",
        conversation_id=conversation,
        fan_id=conversation,
        direction="CASE WHEN n / 3 % 2 = 0 THEN 'out' ELSE 'in' END",
        status="CASE WHEN n / 3 % 2 = 0 THEN 'sent' ELSE 'received' END",
        text=f"'{TEXT}' || n",
        platform_message_id="n",
        **times,
    )


def _insert(table: type[Model], count: int, **columns: str) -> None:
    """`count` rows, each column by an SQL expression of `n` = 0, 1, …; the others by their defaults."""
    first = select(literal_column("0").label("n")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.n + 1).where(first.c.n < count - 1))
    values: Select[*tuple[Any, ...]] = select(
        *(literal_column(sql).label(name) for name, sql in columns.items())
    ).select_from(numbers)
    db.session.execute(insert(table).from_select(list(columns), values, include_defaults=True))


def _settle() -> None:
    """What PostgreSQL's autovacuum would do in the next minutes, beside what is measured."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if _on_sqlite() else "VACUUM ANALYZE"))


def _ago(seconds: str) -> str:
    """The moment that many seconds ago, in SQL."""
    if _on_sqlite():
        return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({seconds}) || ' seconds')"
    return f"now() - ({seconds}) * interval '1 second'"


def _on_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _count_on() -> None:
    """PostgreSQL's own numbers of new rows begin after those that were written."""
    for table in () if _on_sqlite() else (User, Account, Membership, Fan, Conversation, Message):
        name = table.__tablename__
        db.session.execute(text(f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), max(id)) FROM \"{name}\""))
