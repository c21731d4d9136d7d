"""The document says what the door does, and its page works without scripts and without the internet."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.api.schemas.messages import SendRequest


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """The document as it is served."""
    response = client.get("/api/openapi.json")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.json is not None
    return dict(response.json)


def references(part: object) -> Iterator[str]:
    """Every `$ref` below `part`."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_what_is_checked_is_what_is_described(document: dict[str, Any]) -> None:
    send = document["paths"]["/api/onlyfans/messages/send"]
    assert send["get"]["security"] == []
    post = send["post"]
    assert post["security"] == [{"bearer": []}]
    assert set(post["responses"]) == {"202", "400", "401", "404", "413", "415", "422", "429", "503"}
    assert [(one["name"], one["in"]) for one in post["parameters"]] == [
        ("accountId", "query"),
        ("Idempotency-Key", "header"),
    ]
    assert "60 per minute, counted per user" in post["description"]
    body = document["components"]["schemas"]["SendRequest"]
    assert body["additionalProperties"] is False
    assert sorted(body["required"]) == ["content", "recipientId"]
    assert body["properties"]["content"]["maxLength"] == 5000
    assert body["properties"]["recipientId"]["pattern"] == "^[A-Za-z0-9_-]{1,64}$"


def test_no_limit_is_lost_on_the_way_into_the_document(client: FlaskClient) -> None:
    text = client.get("/api/openapi.json").text
    assert not re.search(r'"(?:ge|le|gt|lt|max_length|min_length)":', text)


def test_examples_are_accepted_by_what_they_show(document: dict[str, Any]) -> None:
    example = document["components"]["schemas"]["SendRequest"]["examples"][0]
    assert SendRequest.model_validate_json(json.dumps(example)).content == "Hello!"


def test_the_document_is_kept_until_it_changes(client: FlaskClient) -> None:
    tag = client.get("/api/openapi.json").headers["ETag"]
    again = client.get("/api/openapi.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_the_page_shows_every_endpoint_and_needs_nobody_else(client: FlaskClient, document: dict[str, Any]) -> None:
    response = client.get("/api/docs")
    html = response.text
    assert response.status_code == 200
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f'<section id="{operation["operationId"]}">' in html
            assert f"<code>{path}</code>" in html
    assert "<script" not in html
    assert "style=" not in html
    assert not re.search(r'(?:src|href)="(?:https?:)?//', html)
    for link in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{link}"' in html
