"""The HTML door."""

from flask import Flask

from app.extensions import csrf
from app.pages import (
    account,
    addresses,
    analytics,
    audit,
    campaigns,
    connect,
    conversations,
    errors,
    failed,
    fans,
    formats,
    headers,
    imports,
    invitations,
    limits,
    live,
    messages,
    operations,
    panel,
    replies,
    session,
    statics,
)


def init_app(app: Flask) -> None:
    """Open this door: what every answer carries, who may come in, and the pages of each room."""
    headers.init_app(app)
    errors.init_app(app)
    limits.init_app(app)
    csrf.init_app(app)
    formats.init_app(app)
    addresses.init_app(app)
    statics.init_app(app)
    session.init_app(app)
    failed.init_app(app)
    for room in (
        account,
        analytics,
        audit,
        campaigns,
        connect,
        conversations,
        failed,
        fans,
        imports,
        invitations,
        live,
        messages,
        operations,
        panel,
        replies,
    ):
        app.register_blueprint(room.blueprint)
