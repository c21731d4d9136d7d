"""The first filling of a large account, whose worker is killed midway: everything is there, once, or it fails."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import httpx
from sqlalchemy import func, select

from app.accounts.models import Account
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.inbound import sync
from app.inbound.models import Stage, Synchronisation
from app.messages.models import Message
from bench import databases, seed
from bench.rig import Rig, running

ACCOUNT = "acct_full"
CHATS, WORDS, SILENT, PAYMENTS = 2000, 3, 300, 500
KILLED_AT, WITHIN, LOOK_EVERY = CHATS // 3, 300.0, 0.2
TABLES = {Conversation: CHATS + SILENT, Message: CHATS * WORDS, Fan: CHATS + SILENT, Transaction: PAYMENTS}


def filling() -> dict[str, object]:
    """2,000 chats, 2,300 fans and 500 payments, in pages of which some are short; a kill -9 after a third of it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huntaze-bench-")))
        directory.chmod(0o755)
        url = stack.enter_context(databases.postgresql(directory))
        rig = stack.enter_context(running(url))
        _tell_the_platform(rig)
        _begin(rig)
        with rig.process("worker.py") as pid:
            began = time.monotonic()
            before = _wait(rig, lambda row: row.chats >= KILLED_AT).chats
            reading = time.monotonic() - began
            _kill_background(pid)
            stopped = _wait(rig, lambda row: row.chats >= before).chats
            _wait(rig, lambda row: row.chats > stopped)
            silent = time.monotonic() - began - reading
            done = _wait(rig, lambda row: row.stage == Stage.DONE)
        took = time.monotonic() - began - silent
        _compare(rig)
    return {
        "killed after": f"{before} chats; read on {silent:.0f} s later",
        "all of it": f"{done.chats} chats, {done.messages} messages, {done.fans} fans, {done.payments} payments, "
        f"each once, in {took:.0f} s of reading",
    }


def _tell_the_platform(rig: Rig) -> None:
    """Let fans have written, subscribed and paid before anybody reads it, an hour ago."""
    at = time.time() - 3600
    with httpx.Client(base_url=f"{rig.platform_url}/_sim", timeout=60) as sim:
        for fan in range(CHATS + SILENT):
            body = {"account": ACCOUNT, "id": str(7000 + fan), "name": f"Fan {fan}", "is_subscribed": True}
            sim.post("/fans", json=body).raise_for_status()
        for number in range(CHATS * WORDS):
            text = {"text": f"Hello number {number} & more", "from": "fan", "at": at + number / 10}
            body = {"account": ACCOUNT, "chat": str(7000 + number % CHATS)}
            sim.post("/messages", json=body | text).raise_for_status()
        for number in range(PAYMENTS):
            money = {"amount": 5 + number, "type": "tips", "at": at + number}
            sim.post("/transactions", json={"account": ACCOUNT, "fan": "7000"} | money).raise_for_status()


def _begin(rig: Rig) -> None:
    with rig.app.app_context(), transaction():
        account = Account(platform_id=ACCOUNT, owner_id=seed.user().id, display_name="Full")
        db.session.add(account)
        db.session.flush()
        sync.begin(account.id, now() - timedelta(days=90), full=True)


def _wait(rig: Rig, reached: Callable[[Synchronisation], bool]) -> Synchronisation:
    """How far it is once it is there; raises TimeoutError."""
    ends = time.monotonic() + WITHIN
    while time.monotonic() < ends:
        with rig.app.app_context():
            row = db.session.scalars(select(Synchronisation)).one()
            if reached(row):
                return row
        time.sleep(LOOK_EVERY)
    raise TimeoutError("the filling stands still")


def _kill_background(manager: int) -> None:
    """Kill the manager's background worker and the fork that reads, at once."""
    worker = next(pid for pid in _children(manager) if Path(f"/proc/{pid}/comm").read_text() == "background\n")
    for pid in (worker, *_children(worker)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _compare(rig: Rig) -> None:
    """Raises RuntimeError unless everything is there once, in its words, and new to whoever opens the inbox."""
    with rig.app.app_context():
        found = {table: db.session.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES}
        texts = set(db.session.scalars(select(Message.text)))
        unread = db.session.execute(select(func.sum(Conversation.unread_count))).scalar_one()
    if found != TABLES or texts != {f"Hello number {number} & more" for number in range(CHATS * WORDS)}:
        raise RuntimeError(f"something is missing or doubled: {found}")
    # The kill may have hit a chat between the platform's taking it for read and our setting it back.
    if unread < (CHATS - 1) * WORDS:
        raise RuntimeError(f"only {unread} messages are unread")
