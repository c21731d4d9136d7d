"""A file of fans: looked at first, mapped by hand where need be, watched, and its bad rows taken home to mend."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.accounts.models import User
from app.extensions import db
from app.fans.models import Fan
from app.imports import queries, service
from app.imports.models import Import, Status
from tests.pages.conftest import HTMX, SignIn, csrf_token, look, post
from tests.support.cast import Cast

PAGE = "/platforms/onlyfans/import"
IMPORTS = "/platforms/onlyfans/imports"
TEXT = "Username,Display Name,Total Spent\ntom_tester,Tommy,5\nnew_one,New,\nnot ok,=1+1,x\n"


def _upload(client: FlaskClient, account_id: int, text: str | bytes, name: str = "fans.csv") -> TestResponse:
    content = text.encode() if isinstance(text, str) else text
    data = {"account": str(account_id), "csrf_token": csrf_token(client, PAGE), "file": (io.BytesIO(content), name)}
    return client.post(PAGE, data=data, content_type="multipart/form-data")


def _draft(client: FlaskClient, cast: Cast, text: str = TEXT) -> str:
    answer = _upload(client, cast.account.id, text)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def _newest() -> Import:
    db.session.expire_all()
    return db.session.scalars(select(Import).order_by(Import.id.desc())).first() or pytest.fail("no import")


def test_a_file_is_looked_at_before_anything_is_imported(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    page = client.get(_draft(client, cast)).text
    for shown in (
        "fans.csv",
        "3 rows",
        "UTF-8",
        "separated by commas",
        "@tom_tester",
        "Tommy",
        "$5",
        "must be an amount",
    ):
        assert shown in page, shown
    assert _newest().status == Status.DRAFT
    assert db.session.scalar(select(Fan.id).where(Fan.handle == "new_one")) is None


def test_it_is_begun_and_its_result_shown(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    path = _draft(client, cast)
    begun = post(client, f"{path}/start", {"username": "0", "displayName": "1", "totalSpent": "2"}, htmx=False)
    assert begun.location == path
    page = client.get(path).text
    for shown in (
        "Done: 3 rows",
        "New fans</dt><dd>1<",
        "up to date</dt><dd>1<",
        "Rejected</dt><dd>1<",
        "Username must",
    ):
        assert shown in page, shown
    assert db.session.scalars(select(Fan.name).where(Fan.handle == "tom_tester")).one() == "Tommy"
    assert post(client, f"{path}/start", htmx=False).status_code == 404
    assert "fans.csv" in client.get(PAGE).text


def test_the_columns_may_be_mapped_by_hand(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    path = _draft(client, cast, "A;B\nTom;@Tom.T\n")
    assert "Line 1 must name" in post(client, f"{path}/start", {"username": ""}, htmx=False).text
    looked = post(client, f"{path}/preview", {"username": "1", "displayName": "0"})
    assert "@tom.t" in looked.text
    assert "<html" not in looked.text
    for odd in ({"username": "9"}, {"username": "-1"}, {"username": "x" * 999}, {"email": "0"}):
        assert post(client, f"{path}/preview", odd).status_code == 200, odd
    post(client, f"{path}/start", {"username": "1", "displayName": "0"}, htmx=False)
    assert db.session.scalars(select(Fan.name).where(Fan.handle == "tom.t")).one() == "Tom"


def test_the_order_of_dates_is_asked_for_and_not_guessed(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    path = _draft(client, cast, "username,last seen\ntom_tester,3/4/2026\n")
    assert "Which comes first in the dates?" in client.get(path).text
    columns = {"username": "0", "lastSeen": "1"}
    assert "3 Apr 2026" in post(client, f"{path}/preview", columns | {"dateOrder": "dmy"}).text.replace(
        "03 Apr", "3 Apr"
    )
    assert post(client, f"{path}/start", columns, htmx=False).status_code == 422
    assert post(client, f"{path}/start", columns | {"dateOrder": "dmy"}, htmx=False).status_code == 303
    seen = db.session.scalars(select(Fan.last_seen_at).where(Fan.handle == "tom_tester")).one()
    assert seen is not None
    assert (seen.month, seen.day) == (4, 3)


def test_what_can_not_be_read_says_why(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    for content, why in (
        (b"", "empty"),
        (b"PK\x03\x04xxxx", "Excel workbook"),
        (b"username\nto\0m\n", "Line 2 holds a NUL"),
        (b'username\n"tom\n', "Line 2 opens a quote"),
    ):
        answer = _upload(client, cast.account.id, content)
        assert answer.status_code == 422
        assert why in answer.text
    none = post(client, PAGE, {"account": str(cast.account.id)}, htmx=False)
    assert "Choose a file first" in none.text
    large = {"account": str(cast.account.id), "file": (io.BytesIO(b"a"), "x.csv")}
    assert client.post(PAGE, data=large, content_type="multipart/form-data").status_code == 400


def test_rejected_rows_come_as_a_file_that_can_be_imported_again(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    path = _draft(client, cast)
    post(client, f"{path}/start", {"username": "0", "displayName": "1", "totalSpent": "2"}, htmx=False)
    answer = client.get(f"{path}/rejected.csv", buffered=True)
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["Line", "Problem", "Username", "Display Name", "Total Spent"]
    assert rows[1][0] == "4"
    assert rows[1][2:] == ["not ok", "'=1+1", "x"]
    mended = answer.text.replace("not ok", "is_ok").replace(",x\r\n", ",7\r\n")
    again = _draft(client, cast, mended)
    post(client, f"{again}/start", {"username": "2", "displayName": "3", "totalSpent": "4"}, htmx=False)
    fan = db.session.scalars(select(Fan).where(Fan.handle == "is_ok")).one()
    assert (fan.name, fan.value_cents) == ("=1+1", 700)


def test_what_belongs_to_somebody_else_is_not_there(sign_in: SignIn, cast: Cast) -> None:
    path = _draft(sign_in(cast.ada), cast)
    client = sign_in(cast.eve)
    for address in (path, f"{path}/live", f"{path}/rejected.csv", f"{PAGE}?account={cast.account.id}"):
        assert client.get(address).status_code == 404, address
    for act in ("start", "preview"):
        assert post(client, f"{path}/{act}", {"username": "0"}).status_code == 404
    assert _upload(client, cast.account.id, TEXT).status_code == 404
    assert "fans.csv" not in client.get(PAGE).text


def test_the_history_goes_on(sign_in: SignIn, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    client = sign_in(cast.ada)
    for number in range(3):
        _upload(client, cast.account.id, TEXT, f"file{number}.csv")
    page = client.get(PAGE).text
    assert ("file2.csv" in page, "file0.csv" in page) == (True, False)
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    assert "file0.csv" in client.get(older[1].replace("&amp;", "&")).text


def test_progress_is_polled_and_rests_when_nothing_is_new(
    sign_in: SignIn, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 0)
    client = sign_in(cast.ada)
    path = _draft(client, cast)
    post(client, f"{path}/start", {"username": "0"}, htmx=False)
    page = client.get(path).text
    poll = re.search(r'hx-get="([^"]+/live[^"]+)"', page)
    assert poll is not None
    assert client.get(poll[1], headers=HTMX).status_code == 204
    service.run(_newest().id)
    news = client.get(poll[1], headers=HTMX)
    assert "Done: 3 rows" in news.text
    assert "<html" not in news.text


@pytest.mark.browser
def test_a_file_is_imported_in_a_browser(
    enter: Callable[[User, str], Page], cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 0)
    file = tmp_path / "from excel.csv"
    file.write_bytes("Benutzer;Zuletzt gesehen;Umsatz\nzoe;3/4/2026;1.234,50 €\n<b>x</b>;;\n".encode("cp1252"))
    page = enter(cast.ada, PAGE)
    page.set_input_files("#file", file)
    page.click("text=Look at it")
    expect(page.locator(".makings")).to_contain_text("Windows-1252")
    page.select_option("#username", label="Benutzer")
    expect(page.locator("#preview")).to_contain_text("@zoe")
    page.check("[value=dmy]")
    expect(page.locator("#preview")).to_contain_text("3 Apr 2026")
    page.click(".begin .button")
    expect(page.locator("#progress-title")).to_have_text("0 of 2 rows")
    service.run(_newest().id)
    look(page)
    expect(page.locator("#progress-title")).to_have_text("Done: 2 rows")
    expect(page.locator(".faults")).to_contain_text("Username must be")
    fan = db.session.scalars(select(Fan).where(Fan.handle == "zoe")).one()
    assert fan.value_cents == 123450
