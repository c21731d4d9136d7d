"""A program reads figures: as JSON, and as files that add up to the same."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from app.analytics import service
from app.earnings.models import Kind
from app.extensions import db
from tests.analytics.books import pay
from tests.api.conftest import Caller, SignIn
from tests.support.cast import Cast

BASE = "/api/analytics"
MARCH = "from=2026-03-01&to=2026-03-31"


@pytest.fixture(autouse=True)
def books(cast: Cast) -> None:
    """What was paid in March, to Ada in Paris, to Bea and to Eve."""
    cast.account.time_zone = "Europe/Paris"
    tom, uma, _, _ = cast.fans
    uma.name, uma.handle = '=HYPERLINK("https://x.example")', "uma"
    db.session.commit()
    pay(cast.account, "2026-02-28 23:00", 1005, tom, Kind.SUBSCRIPTION)
    pay(cast.account, "2026-03-09 12:00", 250, uma)
    pay(cast.account, "2026-02-10 12:00", 100, uma)
    pay(cast.beas_account, "2026-03-10 12:00", 70)
    pay(cast.eves_account, "2026-03-10 12:00", 9)
    service.roll_up()


def rows(caller: Caller, path: str) -> list[dict[str, str]]:
    """The lines of a file, by the names of its columns."""
    response = caller.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(response.text)))


def test_the_summary_compares_a_period_with_the_one_before(as_ada: Caller, cast: Cast) -> None:
    answer = as_ada.get(f"{BASE}/summary?{MARCH}").json
    as_of = datetime.strptime(answer.pop("asOf"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - as_of).total_seconds()) < 60
    current, previous = answer.pop("current"), answer.pop("previous")
    assert answer == {
        "from": "2026-03-01",
        "to": "2026-03-31",
        "timeZones": ["Europe/Paris"],
        "accountIds": [cast.account.id],
        "previousFrom": "2026-01-29",
        "previousTo": "2026-02-28",
    }
    assert current["revenue"] == {"grossCents": 1255, "netCents": 1004, "payments": 2}
    assert previous["revenue"] == {"grossCents": 100, "netCents": 80, "payments": 1}
    assert (current["activeFans"], previous["activeFans"]) == (2, 1)
    assert (current["averageGrossCents"], current["averageNetCents"]) == (628, 502)
    assert (current["deliveredShare"], current["medianAnswerSeconds"], current["messagesSent"]) == (None, None, 0)


def test_revenue_is_told_step_by_step_and_by_type(as_ada: Caller) -> None:
    answer = as_ada.get(f"{BASE}/revenue?{MARCH}&interval=week").json
    assert answer["total"] == {"grossCents": 1255, "netCents": 1004, "payments": 2}
    assert answer["interval"] == "week"
    assert [point["grossCents"] for point in answer["points"]] == [1005, 0, 250, 0, 0, 0]
    assert answer["points"][2] == {
        "from": "2026-03-09",
        "to": "2026-03-15",
        "grossCents": 250,
        "netCents": 200,
        "payments": 1,
        "previousGrossCents": 100,
        "previousNetCents": 80,
    }
    assert answer["types"] == [
        {"type": "subscription", "grossCents": 1005, "netCents": 804, "payments": 1},
        {"type": "tip", "grossCents": 250, "netCents": 200, "payments": 1},
    ]


def test_top_fans_are_ranked(as_ada: Caller, cast: Cast) -> None:
    answer = as_ada.get(f"{BASE}/top-fans?{MARCH}&limit=1&by=net").json
    assert answer["fans"] == [
        {
            "fanId": cast.fans[0].id,
            "accountId": cast.account.id,
            "name": "Tom Tester",
            "handle": "tom_tester",
            "valueCents": 1005,
            "grossCents": 1005,
            "netCents": 804,
            "payments": 1,
        }
    ]


def cents(text: str) -> int:
    """`12.05` → 1205."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part)


@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_files_add_up_to_the_answers(as_ada: Caller, interval: str) -> None:
    answer = as_ada.get(f"{BASE}/revenue?{MARCH}&interval={interval}").json
    lines = rows(as_ada, f"{BASE}/revenue.csv?{MARCH}&interval={interval}")
    assert list(lines[0])[:5] == ["From (Europe/Paris)", "To (Europe/Paris)", "Gross (USD)", "Net (USD)", "Payments"]
    assert len(lines) == len(answer["points"])
    assert sum(cents(line["Gross (USD)"]) for line in lines) == answer["total"]["grossCents"]
    assert sum(cents(line["Net (USD)"]) for line in lines) == answer["total"]["netCents"]
    fans = rows(as_ada, f"{BASE}/top-fans.csv?{MARCH}")
    assert [cents(line["Gross (USD)"]) for line in fans] == [1005, 250]
    figures = {line["Figure"]: line for line in rows(as_ada, f"{BASE}/summary.csv?{MARCH}")}
    assert figures["Revenue, gross (USD)"]["This period"] == "12.55"
    assert figures["Revenue, net (USD)"]["One period before"] == "0.80"
    assert all(line["How it is counted"] for line in figures.values())


def test_no_cell_is_a_formula(as_ada: Caller) -> None:
    names = [line["Fan"] for line in rows(as_ada, f"{BASE}/top-fans.csv?{MARCH}")]
    assert names == ["Tom Tester", '\'=HYPERLINK("https://x.example")']


PATHS = [f"{BASE}/{name}{kind}" for name in ("summary", "top-fans", "revenue") for kind in ("", ".csv")]


def gross(caller: Caller, query: str = "") -> Any:
    """What a program is told was paid in March."""
    return caller.get(f"{BASE}/revenue?{MARCH}{query}").json["total"]["grossCents"]


def test_without_an_account_all_of_ones_own_count(call_as: SignIn, cast: Cast) -> None:
    max_, ids = call_as(cast.max), (cast.account.id, cast.beas_account.id)
    assert gross(max_) == 1325
    assert gross(max_, f"&accountId={ids[1]}") == 70
    assert gross(max_, f"&accountId={ids[1]},{ids[0]}") == 1325
    assert gross(call_as(cast.olga)) == 0


def test_nobody_sees_a_creator_who_is_not_theirs(call_as: SignIn, cast: Cast) -> None:
    eves = cast.eves_account.id
    for who in (cast.max, cast.ada, cast.olga):
        for path in PATHS:
            never = call_as(who).get(f"{path}?accountId={10**9}")
            assert never.status_code == 404
            for named in (f"{eves}", f"{cast.account.id},{eves}"):
                response = call_as(who).get(f"{path}?accountId={named}")
                assert (response.status_code, response.data) == (404, never.data)
        assert gross(call_as(who)) != gross(call_as(cast.eve))


def test_the_days_can_be_those_of_another_time_zone(as_ada: Caller) -> None:
    answer = as_ada.get(f"{BASE}/revenue?{MARCH}&timeZone=UTC").json
    assert (answer["timeZones"], answer["total"]["grossCents"]) == (["UTC"], 250)
    assert len(as_ada.get(f"{BASE}/top-fans?{MARCH}&timeZone=UTC").json["fans"]) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-02-30", "from"),
        ("from=1772323200", "from"),
        ("to=9999-12-31", "to"),
        ("to=0001-01-01", "to"),
        ("from=2026-03-02&to=2026-03-01", "from"),
        ("from=2010-01-01&to=2026-03-01", "from"),
        ("timeZone=Europe/Atlantis", "timeZone"),
        ("timeZone=../../etc/passwd", "timeZone"),
        ("accountId=1;2", "accountId"),
        ("accountId=", "accountId"),
        ("interval=year", "interval"),
        ("colour=red", "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(as_ada: Caller, query: str, field: str) -> None:
    for path in (f"{BASE}/revenue", f"{BASE}/revenue.csv"):
        response = as_ada.get(f"{path}?{query}")
        assert (response.status_code, [one["field"] for one in response.json["details"]]) == (400, [field])
