"""The embedded database, an SQLite file: brought up to date, and filled with the demo, where that isn't done yet."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from embedded.child import ROOT, Part, python

NAME = "huntaze.sqlite3"
VERSIONS = ROOT / "app" / "migrations" / "versions"
DEMO_ACCOUNT = "acct_demo_ada"


def part(environment: Mapping[str, str], demo: bool) -> Part:
    """Return the task that prepares the database of `environment`, embedded or not; it may be run at any time."""
    commands = ["db upgrade", "demo load"] if demo else ["db upgrade"]
    command = python("-m", "embedded.commands", *commands)
    return Part(name="database", command=command, environment=environment, start_seconds=300)


def is_prepared(file: Path, demo: bool) -> bool:
    """Tell whether the task has nothing to do for that file; to ask here saves it some seconds of imports."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(file)) as database:
            (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
            accounts = "SELECT count(*) FROM account WHERE platform_id = ?"
            (has_demo,) = database.execute(accounts, [DEMO_ACCOUNT]).fetchone()
    except (sqlite3.Error, TypeError):
        return False
    return version == _newest_version() and bool(has_demo or not demo)


def _newest_version() -> str:
    """Return the number with which the name of the last migration begins; it is its revision too."""
    return max(file.name.split("_")[0] for file in VERSIONS.glob("[0-9]*.py"))
