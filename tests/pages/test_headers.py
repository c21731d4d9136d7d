"""What every answer carries: an id, the security headers, and how long it may be kept."""

import re

from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from app.accounts.models import User
from tests.pages.conftest import SignIn
from tests.support.apps import MakeApp
from tests.support.cast import Cast

PATHS = ["/", "/login", "/nowhere", "/static/app.css", "/api/nowhere", "/messages/onlyfans"]
SECRET = "x" * 40


def _production(make_app: MakeApp) -> Flask:
    secrets = {"SECRET_KEY": SECRET, "JWT_SECRET_KEY": SECRET, "ENCRYPTION_KEY": "A" * 43 + "="}
    return make_app(APP_ENV="production", **secrets)


def test_every_answer_is_guarded(client: FlaskClient) -> None:
    for path in PATHS:
        with client.get(path) as answer:
            _check(answer.headers)


def _check(headers: Headers) -> None:
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", headers["X-Request-Id"])


def test_production_asks_for_encryption(make_app: MakeApp, cast: Cast) -> None:
    app = _production(make_app)
    client = app.test_client()
    answer = client.get("/login", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-huntaze=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_pages_of_people_are_not_kept(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    for path in ("/messages/onlyfans", "/messages/onlyfans/live?account=1", "/login", "/"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_proxys_request_id_is_kept_when_it_is_one(client: FlaskClient) -> None:
    assert client.get("/login", headers={"X-Request-Id": "abc-12345678"}).headers["X-Request-Id"] == "abc-12345678"
    for bad in ("x", "y" * 65, '"},{"level":"error"}', "ünïcode-id"):
        assert client.get("/login", headers={"X-Request-Id": bad}).headers["X-Request-Id"] != bad


def test_nothing_inline_is_on_any_page(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client = sign_in(ada)
    for path in ("/messages/onlyfans", f"/messages/onlyfans/{cast.conversations[0].id}", "/nowhere"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:", page)


def test_a_proxy_is_believed_as_far_as_configured(make_app: MakeApp, cast: Cast) -> None:
    for hops, believed in ((0, "127.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1")):
        app = make_app(PROXY_HOPS=hops)
        app.add_url_rule("/whence", view_func=lambda: f"{request.remote_addr} {request.scheme}")
        forwarded = {"X-Forwarded-For": "10.0.0.1, 10.0.0.2", "X-Forwarded-Proto": "https, https"}
        said = app.test_client().get("/whence", headers=forwarded).text
        assert said == f"{believed} {'https' if hops else 'http'}"
