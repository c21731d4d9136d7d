"""The running door against its own document: whatever is sent, it answers as the document says."""

import json
from collections.abc import Iterator

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema

from app.accounts.connecting import Connector
from app.accounts.connection import Keys
from app.analytics.queries import ORDER, OUTSIDE, TOO_LONG
from app.api.contract import SERVED
from app.api.schemas.analytics import UNKNOWN_ZONE
from app.delivery import heartbeat
from config import DEVELOPMENT_ENCRYPTION_KEY
from tests.api.conftest import Caller
from tests.support.fake_platform import FakePlatform

# What a schema can't say: that a time is past, that parts of a request contradict each other, that a key was used.
BEYOND_SCHEMAS = {
    "Scheduled at must be in the future",
    "The query and the body name two different accounts",
    "Name is required, or a handle or a platform ID",
    "Before must be a nextCursor of this list",
    "This Idempotency-Key was used before with another body",
    UNKNOWN_ZONE,
    ORDER,
    TOO_LONG,
    f"From {OUTSIDE}",
    f"To {OUTSIDE}",
}


PARTS = [
    "^/api/crm/fans",
    "^/api/crm/conversations",
    "^/api/crm/(?!fans|conversations)",
    "^/api/messages/",
    "^/api/onlyfans/",
    "^/api/analytics/",
    "^/(?!api/(analytics|crm|messages|onlyfans)/)",
]


@pytest.fixture
def without_limits(app: Flask) -> None:
    """Nobody waits: what is tried here is what the door says, not how often."""
    operations = [getattr(view, SERVED, None) for view in app.view_functions.values()]
    app.config["API_LIMITS"] = {operation.name: "1000000 per minute" for operation in operations if operation}


def failures(url: str, paths: str, caller: Caller) -> Iterator[str]:
    """What schemathesis has to say about `paths`, with the caller's token, without, and with a wrong one."""
    settings = {
        "headers": caller.headers,
        "seed": 1,
        "continue-on-failure": True,
        "generation": {"max-examples": 4, "deterministic": True, "database": "none", "no-shrink": True},
        "phases": {"stateful": {"enabled": False}},
    }
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=SchemathesisConfig.from_dict(settings))
    for event in from_schema(schema.include(path_regex=paths)).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            yield str(event)
        if isinstance(event, events.ScenarioFinished):
            yield from _failures_of(event)


def _failures_of(event: events.ScenarioFinished) -> Iterator[str]:
    for case, checks in event.recorder.checks.items():
        response = event.recorder.interactions[case].response
        for check in checks:
            if check.failure_info and not (response and _beyond_schemas(response)):
                yield f"{event.label}: {check.failure_info.failure} {check.failure_info.code_sample}"


def _beyond_schemas(response: Response) -> bool:
    if response.status_code not in (400, 422):
        return False
    refusal = json.loads(response.content)
    words = {one["message"] for one in refusal["details"] if not _about_content(one)}
    return words <= BEYOND_SCHEMAS if refusal["details"] else refusal["error"] in BEYOND_SCHEMAS


def _about_content(fault: dict[str, str]) -> bool:
    """What a file holds; that there must be one, a schema says."""
    return fault["field"] == "file" and not fault["message"].startswith("File ")


@pytest.mark.usefixtures("without_limits")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("paths", PARTS)
def test_the_door_does_what_its_document_says(
    paths: str, live_server: str, as_ada: Caller, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A key that lists nothing: with a second account, Ada would have to name one everywhere.
    keys = Keys(DEVELOPMENT_ENCRYPTION_KEY, "key")
    app.extensions["connector"] = Connector(FakePlatform(), keys, assigned_only=False)
    monkeypatch.setattr(heartbeat, "alive", lambda _kind: 1)
    assert list(failures(live_server, paths, as_ada)) == []
