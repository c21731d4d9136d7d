"""Huntaze CRM: create_app() binds configuration, extensions and doors; nobody imports from here."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import load_dotenv
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import config
from app import api, cli, idempotency, logs, pages, reads
from app.accounts import models as _accounts
from app.analytics import models as _analytics
from app.campaigns import models as _campaigns
from app.conversations import models as _conversations
from app.delivery import models as _delivery
from app.delivery.desk import Desk
from app.earnings import models as _earnings
from app.extensions import db, htmx, migrate, redis
from app.fans import models as _fans
from app.gateways import metrics
from app.imports import models as _imports
from app.inbound import models as _inbound
from app.messages import models as _messages
from app.monitoring import models as _monitoring

TABLES = (
    _accounts,
    _analytics,
    _campaigns,
    _conversations,
    _delivery,
    _earnings,
    _fans,
    _imports,
    _inbound,
    _messages,
    _monitoring,
    idempotency,
)


def create_app(settings: config.Settings | None = None) -> Flask:
    """The application; without `settings` they are read from the environment, and a bad one ends the program."""
    settings = settings or settings_or_exit()
    app = Flask(
        "app",
        root_path=str(config.ROOT / "app"),
        template_folder=str(config.ROOT / "templates"),
        static_folder=str(config.ROOT / "static"),
    )
    app.config.update(_flask_settings(settings))
    app.extensions["settings"] = settings
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    logs.configure(settings.log_level)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(config.ROOT / "app" / "migrations"), render_as_batch=True)
    htmx.init_app(app)
    redis.init_app(app)
    metrics.bind(settings)
    app.extensions["desk"] = Desk.build(settings, redis())
    with _exit_at_bad_settings():
        for door in (pages, api, cli):
            door.init_app(app)
    return app


def settings_or_exit() -> config.Settings:
    """Settings from `.env` (development) and the environment; a bad one is one line and exit code 1."""
    if os.environ.get("APP_ENV", "development") == "development":
        load_dotenv(config.ROOT / ".env")
    with _exit_at_bad_settings():
        return config.load(os.environ)


@contextmanager
def _exit_at_bad_settings() -> Iterator[None]:
    try:
        yield
    except config.ConfigError as error:
        print(f"Configuration: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _flask_settings(settings: config.Settings) -> dict[str, object]:
    on_sqlite = settings.database_url.startswith("sqlite:///")
    if on_sqlite:
        Path(settings.database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        engine: dict[str, object] = {"connect_args": {"timeout": 15}, "pool_size": 10}
    else:
        engine = {"connect_args": {"connect_timeout": 3}, "pool_size": 10, "max_overflow": 10}
    # An error of the database must not quote texts and addresses.
    engine["hide_parameters"] = True
    name = "__Host-huntaze" if settings.production else "huntaze"
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine,
        "SQLALCHEMY_BINDS": {} if on_sqlite else reads.bind(settings.database_url, engine),
        "REDIS_URL": settings.redis_url,
        "SESSION_COOKIE_NAME": name,
        "SESSION_COOKIE_SECURE": settings.production,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "MAX_CONTENT_LENGTH": 11 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "MAX_FORM_PARTS": 500,
        "WTF_CSRF_TIME_LIMIT": None,
    }
