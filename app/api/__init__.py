"""The JSON door."""

from flask import Flask, Response, request

from app.api import (
    accounts,
    analytics,
    auth,
    campaigns,
    conversations,
    docs,
    errors,
    failed,
    fans,
    imports,
    kept,
    limits,
    messages,
    monitoring,
    webhooks,
)
from app.api.contract import SERVED
from app.api.paths import CONVERTERS
from app.extensions import csrf
from config import ConfigError

ROUTES = (
    accounts,
    analytics,
    auth,
    campaigns,
    conversations,
    docs,
    failed,
    fans,
    imports,
    messages,
    monitoring,
    webhooks,
)


def init_app(app: Flask) -> None:
    """Open this door: its routes, and the shape of its errors for whoever answers under /api/.

    `API_LIMITS` in the app's configuration (operation → "60 per minute") changes what a contract says; raises
    ConfigError for an operation that isn't there.
    """
    app.config["API_LIMITS"] = app.extensions["settings"].api_limits
    app.extensions["json_error"] = errors.answer
    app.url_map.converters.update(CONVERTERS)
    for routes in ROUTES:
        csrf.exempt(routes.blueprint)
        app.register_blueprint(routes.blueprint)
    app.after_request(_describe_limit)
    kept.init_app(app)
    operations = {getattr(view, SERVED).name for view in app.view_functions.values() if hasattr(view, SERVED)}
    for name in sorted(app.config["API_LIMITS"].keys() - operations):
        raise ConfigError(f"API_LIMITS names {name}, and no operation of the API is called so (see /api/docs).")


def _describe_limit(response: Response) -> Response:
    return limits.describe(response) if request.path.startswith("/api/") else response
