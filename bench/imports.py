"""Importing 200,000 fans beside the database's own bulk load of the same rows into the same table; listing them."""

import csv
import gc
import io
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import update

from app.accounts.models import Account
from app.campaigns import segments
from app.db import transaction
from app.extensions import db
from app.fans import lists
from app.fans.lists import Wanted
from app.fans.models import Fan
from app.imports import reader
from bench import databases, seed
from bench.rig import percentile

ROWS = 200_000
ROUNDS = 20
HEADER = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen"
COLUMNS = (
    "account_id, handle, name, email, tier, value_cents, last_seen_at, status, tags, notes, created_at, updated_at"
)
LISTS = {
    "all": Wanted(),
    "by spend": Wanted(sort="-valueCents"),
    "by last seen": Wanted(sort="-lastSeenAt"),
    "tier": Wanted(tier="vip"),
    "spend from": Wanted(spent_from=50_000, sort="-valueCents"),
    "seen in 30 days": Wanted(seen=30),
    "tag of one in twenty": Wanted(tag="vip"),
    "search, 111 found": Wanted(search="x777"),
    "search, none found": Wanted(search="nobody"),
    "search, all found": Wanted(search="e.co", sort="-valueCents"),
    "search, tier, spend, seen": Wanted(search="77", tier="vip", spent_from=10_000, seen=-30, sort="-valueCents"),
}


def imports() -> dict[str, object]:
    """New rows, the same again, all changed; a 10 MB file's preview; pages of the list, p95 in ms."""
    figures: dict[str, object] = {}
    for kind, app in databases.apps():
        for name, value in _measured(app.config["SQLALCHEMY_DATABASE_URI"]):
            figures[f"{kind}: {name}"] = value
    return figures


def _measured(url: str) -> Iterator[tuple[str, object]]:
    viewer, account = seed.user(), _account()
    bulk = _took(lambda: _bulk_load(account.id))
    _empty()
    data = _file("Fan")
    yield "preview of the file", f"{len(data) / 1e6:.1f} MB in {_took(lambda: reader.survey(data)):.2f} s"
    yield "bulk load", f"{ROWS / bulk:,.0f} rows/s"
    for what, content in (("new", data), ("the same again", data), ("all changed", _file("Fam"))):
        took, peak, before = _import(url, content)
        rate = f"{ROWS / took:,.0f} rows/s, {bulk / took:.2f} of the bulk load's"
        yield f"import, {what}", f"{rate}; at most {peak:.0f} MB, {before:.0f} of them before it began"
    _settle()
    # As the web processes do once they are up.
    gc.collect()
    gc.freeze()
    for what, wanted in LISTS.items():
        yield f"page and total, {what}", _p95(partial(lists.stretch, viewer, account.id, wanted, 50))
    yield "tiers and tags to choose from", _p95(partial(_suggestions, account.id))


def _p95(act: Callable[[], object]) -> str:
    """Each time as in a request of its own, which ends its transaction."""

    def ask() -> None:
        act()
        db.session.rollback()

    ask()
    return f"p95 {percentile([_took(ask) * 1000 for _ in range(ROUNDS)], 0.95):.0f} ms"


def _import(url: str, content: bytes) -> tuple[float, float, float]:
    """Seconds, MB at most, MB before, of a process that does nothing else."""
    db.session.remove()
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_bytes(content)
        command = [sys.executable, "-m", "bench.import_once", url, file.name]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    took, peak, before = map(float, told.split())
    return took, peak, before


def _empty() -> None:
    """As if nothing had ever been in the table."""
    postgresql = db.engine.dialect.name == "postgresql"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as link:
        link.exec_driver_sql("TRUNCATE fan CASCADE" if postgresql else "DELETE FROM fan")
        if not postgresql:
            link.exec_driver_sql("VACUUM")


def _settle() -> None:
    """Some fans get a tag; then what PostgreSQL does by itself within a minute."""
    with transaction():
        db.session.execute(update(Fan).where(Fan.id % 20 == 0).values(tags=["vip", "from 2026"]))
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as link:
            link.exec_driver_sql("VACUUM ANALYZE fan")


def _suggestions(account_id: int) -> None:
    segments.tiers(account_id)
    segments.tags(account_id)


def _account() -> Account:
    with transaction():
        account = Account(platform_id="acct_bench", owner_id=seed.user().id, display_name="Bench")
        db.session.add(account)
        db.session.flush()
        return account


def _file(name: str) -> bytes:
    rows = (
        f"f{n},{name} x{n},{n}@e.co,{'gold' if n % 9 else 'vip'},{n % 900},2026-10-{n % 28 + 1:02}" for n in range(ROWS)
    )
    return "\n".join((HEADER, *rows)).encode()


def _took(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _bulk_load(account_id: int) -> None:
    """The rows of the file as the database's own way takes them, unchecked: COPY, or SQLite's executemany."""
    told = csv.reader(io.StringIO(_file("Fan").decode()))
    next(told)
    at = "2026-11-01 00:00:00"
    rows = (
        (account_id, handle, name, email, tier, int(spent) * 100, seen or None, "active", "[]", "", at, at)
        for handle, name, email, tier, spent, seen in told
    )
    link = db.session.connection().connection.driver_connection
    if isinstance(link, psycopg.Connection):
        with link.cursor() as cursor, cursor.copy(f"COPY fan ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    elif isinstance(link, sqlite3.Connection):
        link.executemany(f"INSERT INTO fan ({COLUMNS}) VALUES ({'?, ' * 11}?)", rows)
    with transaction():
        pass
