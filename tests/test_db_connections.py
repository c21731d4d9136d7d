"""Connections that were cut while they rested in the pool are replaced before anybody works with them."""

from importlib import import_module

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text

from app.extensions import db

OWN = text("SELECT pg_backend_pid()")


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_who_comes_after_the_cut_notices_nothing(
    app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("app.db"), "RESTED", 0.0)
    cut = db.session.execute(OWN).scalar_one()
    db.session.remove()
    with create_engine(database_url, poolclass=NullPool).connect() as link:
        assert link.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": cut}).scalar_one()
    assert db.session.execute(OWN).scalar_one() != cut
