"""Log lines: JSON, one event each, where it came from, and never the words of an error."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from app import logs
from app.extensions import db
from tests.support.apps import MakeApp

WORDS = "canary-words"
Told = Callable[[], list[dict[str, Any]]]


def _listen() -> Told:
    """What is written from now on where the log goes."""
    written = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def _fails() -> None:
    try:
        raise ValueError(WORDS)
    except ValueError as error:
        raise RuntimeError(WORDS) from error


def test_an_error_is_told_by_its_kind_and_place() -> None:
    logs.configure("DEBUG")
    told = _listen()
    log = logging.getLogger("part")
    try:
        _fails()
    except RuntimeError:
        log.exception("it_failed", extra={"messageId": "msg_1"})
        log.error("it failed\n%s", WORDS)
    first, second = told()
    assert (first["event"], first["messageId"], first["level"]) == ("it_failed", "msg_1", "error")
    assert "in _fails" in first["exception"]
    assert first["exception"].index("RuntimeError") < first["exception"].index("ValueError")
    assert WORDS not in json.dumps([first, second])


def test_an_error_of_the_database_quotes_nothing(make_app: MakeApp) -> None:
    app = make_app(LOG_LEVEL="DEBUG")

    @app.get("/fails")
    def fails() -> str:
        db.session.execute(text("SELECT :words FROM nowhere"), {"words": WORDS})
        return ""

    told = _listen()
    client: FlaskClient = app.test_client()
    answer = client.get("/fails")
    assert answer.status_code == 503
    lines = told()
    assert WORDS not in json.dumps(lines)
    failed = next(line for line in lines if line["event"] == "unforeseen_error")
    assert failed["request_id"] == answer.headers["X-Request-Id"]
    assert "OperationalError" in failed["exception"]
