"""A program imports fans from a file: what it gets back, and what is refused."""

import io
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import stream_encode_multipart

from app.extensions import db
from app.fans.models import Fan
from app.imports import service
from tests.api.conftest import Caller, SignIn
from tests.support.cast import Cast

IMPORT = "/api/onlyfans/import"
CSV = f"{IMPORT}/csv"


def send(caller: Caller, content: str | bytes, path: str = CSV, **fields: Any) -> Any:
    """Send a file in a form."""
    data = content.encode() if isinstance(content, str) else content
    return post(caller, path, fields | {"file": FileStorage(io.BytesIO(data), "fans.csv", content_type="text/csv")})


def post(caller: Caller, path: str, fields: dict[str, Any]) -> Any:
    """Send a form; the client's own way would leave files open."""
    body, _, boundary = stream_encode_multipart(MultiDict(fields), use_tempfile=False)
    return caller("POST", path, data=body.read(), content_type=f"multipart/form-data; boundary={boundary}")


def test_a_short_file_is_imported_at_once(as_ada: Caller, cast: Cast) -> None:
    text = "Username,Display Name,Total Spent\n@new_one,New,$5.00\ntom_tester,Tommy,\nnot ok,,x\numa_umbrella,,\n"
    response = send(as_ada, text)
    assert response.status_code == 200
    import_id = response.json["importId"]
    expected = {
        "success": True,
        "importId": import_id,
        "status": "completed",
        "summary": {
            "totalRows": 4,
            "successfulInserts": 1,
            "updated": 1,
            "skipped": 2,
            "errors": [
                {
                    "row": 4,
                    "field": "username",
                    "error": "Username must be 1 to 100 letters, digits, dots, _ or -",
                },
                {"row": 4, "field": "totalSpent", "error": "Total Spent must be an amount such as 1234.50"},
            ],
        },
    }
    assert response.json == expected
    assert isinstance(import_id, int)
    assert as_ada.get(f"{IMPORT}/{import_id}").json == expected
    found = as_ada.get("/api/crm/fans?q=new_one").json["fans"][0]
    assert (found["handle"], found["valueCents"], found["platformId"]) == ("new_one", 500, None)


def test_the_same_file_again_changes_nothing(as_ada: Caller) -> None:
    text = "username,email\n" + "".join(f"fan{n},fan{n}@example.com\n" for n in range(20))
    assert send(as_ada, text).json["summary"]["successfulInserts"] == 20
    again = send(as_ada, text).json["summary"]
    assert (again["successfulInserts"], again["updated"], again["skipped"]) == (0, 0, 20)


def test_a_long_file_goes_on_in_the_background(as_ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 3)
    response = send(as_ada, "username\n" + "".join(f"fan{n}\n" for n in range(4)))
    import_id = response.json["importId"]
    assert response.status_code == 202
    assert response.json == {
        "success": True,
        "importId": import_id,
        "status": "processing",
        "statusUrl": f"{IMPORT}/{import_id}",
    }
    status = as_ada.get(response.json["statusUrl"])
    assert (status.status_code, status.json["status"]) == (200, "processing")
    service.run(import_id)
    status = as_ada.get(response.json["statusUrl"]).json
    assert (status["status"], status["summary"]["successfulInserts"]) == ("completed", 4)


def test_without_redis_a_long_file_is_kept_all_the_same(
    as_ada: Caller, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 0)

    def away(_import_id: int) -> None:
        raise ConnectionError

    monkeypatch.setattr(service, "_enqueue", away)
    assert send(as_ada, "username\ntom\n").status_code == 202


def test_only_the_first_faults_are_listed_and_the_rest_counted(as_ada: Caller) -> None:
    errors = send(as_ada, "username\n" + "".join(f"not ok {n}\n" for n in range(130))).json["summary"]["errors"]
    assert len(errors) == 101
    assert errors[-1] == {"row": 101, "field": "file", "error": "and 30 more: the import's page shows them"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "The file is empty"),
        (b"username\n", "The file has a header, and no row below it"),
        (b"PK\x03\x04whatever", "This is an Excel workbook or another packed file"),
        (b"username\nto\0m\n", "Line 2 holds a NUL character"),
        (b"username\n" + b"a" * 131_073, "Line 2 holds a cell of more than 131,072 characters"),
        (b'username\n"tom\numa\n', "Line 2 opens a quote"),
        (b"username" + b"," * 1_000_000 + b"\n", "Line 1 ends a row of more than 1,000,000 characters"),
        (b"a,b\n1,2\n", "Line 1 must name the columns"),
    ],
)
def test_a_file_that_is_no_csv_of_fans_is_refused(as_ada: Caller, content: bytes, why: str) -> None:
    response = send(as_ada, content)
    assert response.status_code == 400
    (fault,) = response.json["details"]
    assert fault["field"] == "file"
    assert fault["message"].startswith(why)
    assert db.session.scalar(select(func.count()).select_from(Fan)) == 5


def test_the_order_of_dates_is_asked_for_where_nothing_proves_it(as_ada: Caller) -> None:
    text = "username;last seen\ntom_tester;3/4/2026\n"
    (fault,) = send(as_ada, text).json["details"]
    assert fault["field"] == "dateOrder"
    assert send(as_ada, text, dateOrder="dmy").status_code == 200
    assert as_ada.get("/api/crm/fans?q=tom_t").json["fans"][0]["lastSeenAt"] == "2026-04-03T00:00:00Z"


def test_what_is_no_form_or_too_large_is_refused(as_ada: Caller) -> None:
    assert as_ada.post(CSV, {"file": "x"}).status_code == 415
    assert as_ada("POST", CSV, data=b"username\ntom\n", content_type="text/csv").status_code == 415
    assert send(as_ada, b"a" * (10 * 1024 * 1024 + 1)).status_code == 413
    assert send(as_ada, b"a" * (12 * 1024 * 1024)).status_code == 413
    parts = {f"part{n}": "x" for n in range(5000)}
    assert send(as_ada, "username\ntom\n", **parts).status_code == 413
    for broken in (b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=\xff\r\n\r\n\r\n--x--"):
        response = as_ada("POST", CSV, data=broken, content_type="multipart/form-data; boundary=x")
        assert response.status_code == 400


def test_all_faults_of_the_form_are_told_at_once(as_ada: Caller) -> None:
    data = {"accountId": "x", "dateOrder": "ymd", "other": "1"}
    response = as_ada("POST", CSV, data=data, content_type="multipart/form-data")
    assert response.status_code == 400
    assert {fault["field"]: fault["message"] for fault in response.json["details"]} == {
        "file": "File is required",
        "accountId": "Account ID must be a whole number",
        "dateOrder": "Date order must be 'mdy' or 'dmy'",
        "other": "There is no field 'other' here",
    }
    text = as_ada("POST", CSV, data={"file": "username"}, content_type="multipart/form-data")
    assert text.json["details"] == [{"field": "file", "message": "File must be sent as a file"}]
    twice = {"file": [FileStorage(io.BytesIO(b"username\ntom"), f"{name}.csv") for name in "ab"]}
    assert post(as_ada, CSV, twice).json["details"][0]["message"] == "File was given more than once"


def test_who_has_several_accounts_names_one(call_as: SignIn, cast: Cast) -> None:
    as_max = call_as(cast.max)
    assert send(as_max, "username\nzed\n").json["details"][0]["field"] == "accountId"
    assert send(as_max, "username\nzed\n", accountId=str(cast.beas_account.id)).status_code == 200
    by_query = f"{CSV}?accountId={cast.account.id}"
    assert send(as_max, "username\nzed\n", by_query, accountId=str(cast.beas_account.id)).status_code == 400
    assert send(as_max, "username\nzed\n", by_query).json["summary"]["successfulInserts"] == 1


def test_a_file_that_was_only_looked_at_is_no_import_yet(as_ada: Caller, cast: Cast) -> None:
    draft = service.upload(cast.ada, None, "x.csv", b"username\ntom\n")
    assert as_ada.get(f"{IMPORT}/{draft.id}").status_code == 404
