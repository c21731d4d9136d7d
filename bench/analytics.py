"""The analytics with 5,000,000 transactions of 200 accounts: the page, its queries, and the export of a file."""

import gc
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from app.accounts.models import User
from app.analytics import answers, audience, cohorts, payers, queries, revenue, service
from app.analytics.buckets import Interval
from app.analytics.scope import Period
from app.earnings.models import Transaction
from app.extensions import db
from app.pages import charts
from bench import crowd, databases
from bench.rig import percentile

PAGE = "/platforms/onlyfans/analytics"
PAYMENTS_EACH = 100
MANAGED = 50
ROUNDS = 15
TWO_YEARS = 730
RECEIVED = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || {seconds} || ' seconds')",
    "postgresql": "now() - {seconds} * interval '1 second'",
}
FILL = """
INSERT INTO "transaction" (account_id, fan_id, platform_id, type, gross_cents, net_cents, received_at)
WITH RECURSIVE payment(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM payment WHERE number < {last})
SELECT fan.account_id, fan.id, 'p' || fan.id || '-' || number,
  CASE (fan.id + number) % 5 WHEN 0 THEN 'subscription' WHEN 1 THEN 'tip' WHEN 2 THEN 'message' WHEN 3 THEN 'post'
  ELSE 'stream' END,
  500 + (fan.id * 31 + number * 17) % 4000, 400 + (fan.id * 31 + number * 17) % 3200, {received}
FROM fan, payment
"""


def analytics() -> dict[str, object]:
    """Page, queries and export on SQLite and PostgreSQL, for one account and for a manager of 50."""
    figures: dict[str, object] = {}
    for kind, app in databases.apps():
        crowd.fill(app)
        figures |= {f"{kind} {name}": value for name, value in _measure(app).items()}
    return figures


def _measure(app: Flask) -> dict[str, object]:
    figures: dict[str, object] = {}
    figures["written in s"] = round(_seconds(_fill))
    figures["rolled up in s"] = round(_seconds(service.rebuild))
    _settle()
    # As the web processes do once they are up.
    gc.collect()
    gc.freeze()
    for who, email, ids in (
        ("one account", "creator1@example.com", [1]),
        ("50 accounts", crowd.MANAGER, list(range(1, MANAGED + 1))),
    ):
        client = sign_in(app, email)
        chosen = "&".join(f"account={account_id}" for account_id in ids)
        figures |= _pages(client, who, chosen)
        figures |= _queries(who, email, ids)
        figures[f"export, {who}"] = _export(app, email, f"{PAGE}/transactions.csv?range=24m&{chosen}")
    figures["direct group-by, all accounts, 24m"] = _paces(lambda: _direct(range(1, crowd.ACCOUNTS + 1)), 3)
    return figures


def _pages(client: FlaskClient, who: str, chosen: str) -> dict[str, object]:
    """The page's first answer, and each of the charts that it asks for when they come into view."""
    asked = {"page": PAGE} | {f"page's {name}": f"{PAGE}/charts/{name}" for name in charts.LATER}
    return {
        f"{name}, {who}, {range_}": _paces(partial(_get, client, f"{path}?range={range_}&{chosen}"))
        for range_ in ("30d", "12m")
        for name, path in asked.items()
    }


def _fill() -> None:
    dialect = db.session.get_bind().dialect.name
    seconds = f"((fan.id * 7919 + number * 613651) % {TWO_YEARS * 86_400 - 3600})"
    received = RECEIVED[dialect].format(seconds=seconds)
    # Fans came over four years, two of them before the first payment here.
    joined = RECEIVED[dialect].format(seconds=f"(id * 7919 % {2 * TWO_YEARS} * 86400)")
    db.session.execute(text(f"UPDATE fan SET created_at = {joined}"))
    db.session.execute(text(FILL.format(last=PAYMENTS_EACH - 1, received=received)))
    db.session.commit()
    _settle()


def _settle() -> None:
    """What a database that runs for long does by itself: know its tables, and which of their pages are settled."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))


def _queries(who: str, email: str, ids: list[int]) -> dict[str, object]:
    scope = queries.scope(db.session.scalars(select(User).where(User.email == email)).one(), ids)
    elsewhere = replace(scope, zone=ZoneInfo("Asia/Kolkata"))
    days = Period(date.today() - timedelta(days=364), date.today())  # noqa: DTZ011
    asked: dict[str, Callable[[], object]] = {
        "by month": lambda: revenue.received(scope, days, Interval.MONTH),
        "by day": lambda: revenue.received(scope, days, Interval.DAY),
        "in another zone": lambda: revenue.received(elsewhere, days, Interval.MONTH),
        "by hour": lambda: revenue.by_hour(scope, days),
        "top fans": lambda: audience.top(scope, days, 10),
        "active fans": lambda: payers.by_account(scope, days, days.previous),
        "active fans by month": lambda: payers.over_time(scope, days, Interval.MONTH),
        "growth": lambda: audience.growth(scope, days),
        "cohorts": lambda: cohorts.cohorts(scope, days.last),
        "messages": lambda: answers.talk(scope, days),
        "direct group-by": lambda: _direct(ids),
    }
    return {f"{name}, {who}, 12m": _paces(ask, 5) for name, ask in asked.items()}


def _direct(ids: range | list[int]) -> object:
    day = func.date(Transaction.received_at)
    sums = (func.sum(Transaction.gross_cents), func.sum(Transaction.net_cents), func.count())
    query = select(day, Transaction.type, *sums).where(Transaction.account_id.in_(ids))
    return db.session.execute(query.group_by(day, Transaction.type)).all()


def _export(app: Flask, email: str, path: str) -> str:
    """In a process of its own, whose memory nothing else has used."""
    command = [sys.executable, "-m", "bench.export", app.config["SQLALCHEMY_DATABASE_URI"], email, path]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=300).stdout.strip()


def sign_in(app: Flask, email: str) -> FlaskClient:
    """A client with a session."""
    client = app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', _get(client, "/login").text)
    assert token is not None
    form = {"csrf_token": token[1], "email": email, "password": crowd.PASSWORD}
    assert Context().run(client.post, "/login", data=form).status_code == 302
    return client


def _get(client: FlaskClient, path: str) -> TestResponse:
    """As a stranger would: the benchmark's own context knows who asked last."""
    response = Context().run(client.get, path)
    assert response.status_code == 200, response.status
    return response


def _paces(act: Callable[[], object], rounds: int = ROUNDS) -> str:
    """Once to warm up, then so many times."""
    act()
    found = [_seconds(act) * 1000 for _ in range(rounds)]
    return f"p50 {percentile(found, 0.5):.0f} p95 {percentile(found, 0.95):.0f} ms"


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
