"""Callers of the JSON door: each with a token of their own, or without."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import tokens
from app.accounts.models import User
from tests.support.cast import Cast

SEND = "/api/onlyfans/messages/send"
STATUS = "/api/onlyfans/messages/status"


class Caller:
    """A program that calls the API."""

    def __init__(self, client: FlaskClient, token: str | None = None) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, headers: dict[str, str] | None = None, **rest: Any) -> Any:
        """Send a request."""
        return self.client.open(path, method=method, headers=self.headers | (headers or {}), **rest)

    def get(self, path: str, **rest: Any) -> Any:
        """Ask."""
        return self("GET", path, **rest)

    def post(self, path: str, json: Any = None, **rest: Any) -> Any:
        """Post `json`."""
        return self("POST", path, json=json, **rest)

    def send(self, recipient: str = "1001", content: str = "Hello!", **rest: Any) -> Any:
        """Send a message; `headers` aside, `rest` are fields of the body."""
        headers = rest.pop("headers", None)
        return self.post(SEND, {"recipientId": recipient, "content": content} | rest, headers=headers)


SignIn = Callable[[User], Caller]


@pytest.fixture
def keys(app: Flask) -> tokens.Keys:
    """What the app signs with."""
    return tokens.Keys(app.extensions["settings"].jwt_secret_key)


@pytest.fixture
def call_as(client: FlaskClient, keys: tokens.Keys) -> SignIn:
    """`call_as(user)`: a caller with a fresh access token of theirs."""
    return lambda user: Caller(client, tokens.issue(user, keys).access_token)


@pytest.fixture
def nobody(client: FlaskClient) -> Caller:
    """A caller without a token."""
    return Caller(client)


@pytest.fixture
def as_ada(call_as: SignIn, cast: Cast) -> Caller:
    """Ada's program."""
    return call_as(cast.ada)


def moment(text: str) -> datetime:
    """`2026-11-01T12:00:00Z` → datetime, and nothing but that form."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
