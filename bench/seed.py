"""Rows for benchmarks, written in bulk."""

import secrets
from datetime import timedelta

from flask import Flask
from sqlalchemy import insert, select

from app.accounts import service
from app.accounts.models import Account, Role, User
from app.clock import now
from app.conversations.models import Conversation
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Priority, Status

EMAIL, PASSWORD = "bench@example.com", "bench-password-1"


def user() -> User:
    """The one user that owns everything."""
    return db.session.scalar(select(User).where(User.email == EMAIL)) or service.create_user(
        EMAIL, "Bench", Role.CREATOR, PASSWORD
    )


def backlog(app: Flask, accounts: int, messages: int, fans: int) -> None:
    """`accounts` accounts with `messages` queued and received messages each, spread over `fans` conversations."""
    with app.app_context():
        owner = user()
        first = (db.session.scalar(select(Account.id).order_by(Account.id.desc()).limit(1)) or 0) + 1
        ids = range(first, first + accounts)
        db.session.execute(
            insert(Account),
            [{"id": i, "platform_id": f"acct_bench_{i}", "owner_id": owner.id, "display_name": f"B{i}"} for i in ids],
        )
        for account_id in ids:
            _fill(account_id, messages, fans)
        db.session.commit()


def _fill(account_id: int, messages: int, fans: int) -> None:
    base, moment = account_id * 1_000_000, now() - timedelta(minutes=1)
    fan_ids = [base + n for n in range(fans)]
    common = {"account_id": account_id}
    db.session.execute(insert(Fan), [common | {"id": i, "platform_id": str(i), "name": f"Fan {i}"} for i in fan_ids])
    db.session.execute(insert(Conversation), [common | {"id": i, "fan_id": i} for i in fan_ids])
    rows = [
        common
        | {
            "public_id": f"msg_{secrets.token_hex(16)}",
            "conversation_id": fan_ids[n % fans],
            "fan_id": fan_ids[n % fans],
            "direction": "out",
            "status": Status.QUEUED,
            "priority": Priority.LOW,
            "text": f"Hello number {n}",
            "created_at": moment,
            "due_at": moment + timedelta(milliseconds=n),
            "queued_at": moment,
            "published_at": moment,
            "received_at": moment,
        }
        for n in range(messages)
    ]
    if rows:
        db.session.execute(insert(Message), rows)
