"""Every page is guarded: who isn't signed in gets the sign-in, but for what is written here."""

import re
from collections.abc import Iterator

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

OPEN = {"static"}
OPEN_PATHS = {"/login", "/healthz", "/readyz", "/favicon.ico", "/robots.txt", "/invitations/<token>"}
READING = {"HEAD", "OPTIONS"}


def _guarded(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") or rule.rule in OPEN_PATHS or rule.endpoint in OPEN:
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted((rule.methods or set()) - READING):
            yield rule, method, path


def test_every_page_needs_a_sign_in(app: Flask, client: FlaskClient) -> None:
    let_in = []
    for rule, method, path in _guarded(app):
        answer = client.open(path, method=method)
        sent_to_login = answer.status_code in (302, 303) and answer.headers["Location"].startswith("/login")
        refused = answer.status_code in (401, 403) or (method != "GET" and answer.status_code == 400)
        if not (sent_to_login or refused):
            let_in.append((method, rule.rule, answer.status_code))
    assert let_in == []


def test_what_is_open_is_there(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {"/login", "/healthz", "/readyz"} <= rules
