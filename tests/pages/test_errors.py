"""What goes wrong: friendly on pages, short in fragments, in the JSON door's shape under /api/, and never a trace."""

import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import NotFound

from app.accounts.models import User
from app.errors import TooSoon, Unavailable
from tests.pages.conftest import HTMX, SignIn, csrf_token

SECRET = "the secret of the trace"
STRANGE = ["/%ff", "/%00", "/%f0%9f", "/a%0d%0ab", "/static/../config.py", "/static/%2e%2e/config.py", "/static/%00"]


@pytest.fixture
def trapdoors(app: Flask) -> None:
    """Addresses behind which something goes wrong."""

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError(SECRET)

    @app.get("/away")
    def away() -> str:
        raise OperationalError("SELECT 1", {}, Exception(SECRET))

    @app.get("/closed")
    def closed() -> str:
        raise Unavailable("The queue can't be reached")

    @app.get("/soon")
    def soon() -> str:
        raise TooSoon("Not again so soon", 30)


def test_our_own_faults_show_an_id_and_no_trace(client: FlaskClient, trapdoors: None) -> None:
    answer = client.get("/fails")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text


def test_a_part_that_is_away_is_said(client: FlaskClient, trapdoors: None) -> None:
    away, closed = client.get("/away"), client.get("/closed")
    assert (away.status_code, closed.status_code) == (503, 503)
    assert SECRET not in away.text
    assert "The queue can&#39;t be reached" in closed.text
    soon = client.get("/soon")
    assert (soon.status_code, soon.headers["Retry-After"]) == (429, "30")


def test_htmx_gets_a_short_notice(client: FlaskClient, trapdoors: None) -> None:
    for path, status in (("/fails", 500), ("/nowhere", 404)):
        answer = client.get(path, headers=HTMX)
        assert answer.status_code == status
        assert "<html" not in answer.text
        assert len(answer.text) < 400


def test_strange_addresses_are_not_found(client: FlaskClient) -> None:
    answers = {path: client.get(path).status_code for path in STRANGE}
    assert {path: status for path, status in answers.items() if status not in (302, 404)} == {}


def test_the_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete("/login")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_too_much_is_refused(client: FlaskClient, ada: User) -> None:
    token = csrf_token(client)
    answer = client.post("/login", data={"csrf_token": token, "email": "x" * 12_000_000, "password": "x"})
    assert answer.status_code == 413
    many = {"csrf_token": token, **{f"field{number}": "x" for number in range(2000)}}
    assert client.post("/login", data=many, content_type="multipart/form-data").status_code == 413


def test_the_json_door_answers_for_its_own_paths(app: Flask, client: FlaskClient) -> None:
    app.extensions["json_error"] = lambda error: (jsonify(kind=type(error).__name__), 404)
    assert client.get("/api/nowhere").json == {"kind": NotFound.__name__}
    assert client.get("/nowhere").mimetype == "text/html"


def test_a_role_that_may_not_is_told_so(sign_in: SignIn, olga: User) -> None:
    answer = sign_in(olga).get("/messages/onlyfans")
    assert answer.status_code == 403
    assert "for your role" in answer.text
