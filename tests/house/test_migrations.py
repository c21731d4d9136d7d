"""Migrations: numbered without gaps, one after the other, complete, and there is a way back."""

import re

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect

import config
from app import create_app
from app.extensions import db
from tests.house.source import GENERATED

REVISION = re.compile(r"^revision = ['\"](\d{4})['\"]$", re.MULTILINE)
PARENT = re.compile(r"^down_revision = (?:None|['\"](\d{4})['\"])$", re.MULTILINE)


def test_they_are_numbered_and_form_one_line() -> None:
    expected_parent = ""
    for number, path in enumerate(sorted(GENERATED.glob("*.py")), start=1):
        text = path.read_text()
        revision, parent = REVISION.search(text), PARENT.search(text)
        assert revision is not None, path.name
        assert parent is not None, path.name
        assert revision[1] == f"{number:04}"
        assert path.name.startswith(f"{revision[1]}_")
        assert (parent[1] or "") == expected_parent
        expected_parent = revision[1]


@pytest.fixture
def empty(any_database: str, empty_database_url: str) -> Flask:
    """An application on a database without any table."""
    return create_app(config.load({"DATABASE_URL": empty_database_url}))


def _tables() -> set[str]:
    with db.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_they_make_what_the_models_say_and_lead_back(empty: Flask) -> None:
    with empty.app_context():
        flask_migrate.upgrade()
        made = _tables()
        assert made == {*db.metadata.tables, "alembic_version"}
        flask_migrate.check()
        flask_migrate.downgrade(revision="base")
        assert _tables() == {"alembic_version"}
        flask_migrate.upgrade()
        assert _tables() == made
        flask_migrate.check()
        for engine in db.engines.values():
            engine.dispose()
