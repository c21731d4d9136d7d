"""The bench itself keeps what it promises."""

import socket
import urllib.request

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select, text

from app.accounts import service as accounts
from app.accounts.models import User
from app.db import transaction
from app.extensions import db
from embedded import platform_process
from embedded.aws import AwsEndpoint
from tests.support.apps import MakeSettings
from tests.support.cast import Cast
from tests.support.network import OutsideError
from tests.support.queries import count_queries


def test_nothing_outside_can_be_reached() -> None:
    with pytest.raises(OutsideError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(OutsideError):
        socket.getaddrinfo("example.com", 80)


@pytest.mark.parametrize("_turn", [1, 2])
def test_a_test_finds_its_parts_empty(app: Flask, cast: Cast, _turn: int) -> None:
    assert len(db.session.scalars(select(User)).all()) == 5


def test_a_storage_test_runs_on_both_databases(any_database: str, app: Flask, cast: Cast) -> None:
    assert db.session.get_bind().dialect.name in any_database
    assert db.session.scalar(text("SELECT count(*) FROM fan")) == 5


def test_queries_are_counted_also_on_connections_that_were_open_before(app: Flask) -> None:
    db.session.execute(text("SELECT 1"))
    with count_queries() as statements:
        db.session.execute(text("SELECT 2"))
    db.session.execute(text("SELECT 3"))
    assert statements == ["SELECT 2"]


def test_a_request_does_not_share_the_tests_session(app: Flask, client: FlaskClient, ada: User) -> None:
    seen: list[bool] = []

    @app.get("/rename")
    def rename() -> str:
        with transaction():
            user = db.session.get_one(User, 1)
            seen.append(user is ada)
            user.name = "Renamed"
        return "done"

    assert client.get("/rename").status_code == 200
    assert seen == [False]
    assert ada.name == "Renamed"


def test_settings_come_from_variables_as_in_a_deployment(make_settings: MakeSettings, aws: AwsEndpoint) -> None:
    settings = make_settings(RATE_LIMIT_MESSAGES=3)
    assert settings.rate_limit.messages == 3
    assert settings.sqs_queue_url == aws.queue_url
    assert settings.configured


def test_the_platform_is_a_process_of_the_tests_own(platform: str, make_settings: MakeSettings) -> None:
    settings = make_settings()
    assert settings.platform_base_url == platform
    asked = urllib.request.Request(
        f"{platform}/api/whoami", headers={"Authorization": f"Bearer {platform_process.KEY}"}
    )
    with urllib.request.urlopen(asked, timeout=5) as answer:
        assert answer.status == 200


def test_passwords_cost_next_to_nothing() -> None:
    assert accounts.hasher().memory_cost < 100


def test_the_live_server_answers(live_server: str) -> None:
    with pytest.raises(urllib.request.HTTPError):
        urllib.request.urlopen(f"{live_server}/nowhere-at-all", timeout=5)


@pytest.mark.browser
def test_the_browser_opens_the_live_server(live_server: str, page: Page) -> None:
    response = page.goto(f"{live_server}/nowhere-at-all")
    assert response is not None
    assert response.status in (302, 404, 200)
