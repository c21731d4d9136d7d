"""Static files: named after their content, kept for ever, small on the wire, and never anything but static files."""

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.pages import statics
from config import ROOT

STYLES = (ROOT / "static" / "app.css").read_bytes()
ZIP = {"Accept-Encoding": "gzip, br"}


@pytest.fixture
def address(app: Flask) -> str:
    """Where pages say that the style sheet is."""
    with app.test_request_context():
        return statics.static_url("app.css")


def test_the_name_is_the_contents_and_is_kept_for_ever(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.data == STYLES
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype == "text/css"
    older = address.replace(address.split(".")[1], "0" * 12)
    for name, kept in (("/static/app.css", "no-cache"), (older, "no-cache")):
        found = client.get(name)
        assert (found.data, found.headers["Cache-Control"]) == (STYLES, kept)


def test_who_takes_gzip_gets_it(client: FlaskClient, address: str) -> None:
    plain, zipped = client.get(address), client.get(address, headers=ZIP)
    assert (plain.content_encoding, zipped.content_encoding) == (None, "gzip")
    assert gzip.decompress(zipped.data) == STYLES
    assert len(zipped.data) < len(STYLES) / 3
    assert {answer.headers["Vary"] for answer in (plain, zipped)} == {"Accept-Encoding"}
    assert plain.headers["ETag"] != zipped.headers["ETag"]


def test_what_is_known_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/static/app.css", headers=ZIP)
    again = client.get("/static/app.css", headers={**ZIP, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_nothing_else_is_served(client: FlaskClient, address: str) -> None:
    digest = address.split(".")[1]
    strange = ["", "vendor", "..%2fconfig.py", "%00", "x" * 5000, f"nothing.{digest}.css", f"../config.{digest}.py"]
    for name in strange:
        answer = client.get(f"/static/{name}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store"), name[:40]
