"""Importing 200,000 fans beside the database's own bulk load of the same rows into the same table; listing them."""

import csv
import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg

from app.accounts.models import Account, User
from app.db import transaction
from app.extensions import db
from app.fans import lists
from app.fans.lists import Wanted
from app.imports import reader, service
from app.imports.reader import Wishes
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
    "search": Wanted(search="x777"),
}


def imports() -> dict[str, object]:
    """New rows, the same again, all changed; a 10 MB file's preview; pages of the list, p95 in ms."""
    figures: dict[str, object] = {}
    for kind, _ in databases.apps():
        for name, value in _measured():
            figures[f"{kind}: {name}"] = value
    return figures


def _measured() -> Iterator[tuple[str, object]]:
    viewer, account = seed.user(), _account()
    bulk = _took(lambda: _bulk_load(account.id))
    with transaction():
        db.session.connection().exec_driver_sql("DELETE FROM fan")
    # Here nobody works in the background.
    service.AT_ONCE = ROWS
    data = _file("Fan")
    yield "preview of the file", f"{len(data) / 1e6:.1f} MB in {_took(lambda: reader.survey(data)):.2f} s"
    for what, content in (("new", data), ("the same again", data), ("all changed", _file("Fam"))):
        took = _took(partial(service.load, viewer, account.id, "fans.csv", content, Wishes()))
        beside = f", {bulk / took:.2f} of the bulk load's rate" if what == "new" else ""
        yield f"import, {what}", f"{ROWS / took:,.0f} rows/s{beside}"
    for what, wanted in LISTS.items():
        times = [_took(partial(_page, viewer, account, wanted)) * 1000 for _ in range(ROUNDS)]
        yield f"page and count, {what}", f"{percentile(times, 0.95):.0f} ms"


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


def _page(viewer: User, account: Account, wanted: Wanted) -> None:
    lists.stretch(viewer, account.id, wanted, 50)
    lists.count(viewer, account.id, wanted)


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
