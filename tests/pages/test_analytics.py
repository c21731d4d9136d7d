"""Somebody opens the analytics: their own creators, the days that they chose, and files that add up to the page."""

import csv
import io
import json
import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from app.accounts.models import User
from app.analytics import queries, service
from app.earnings.models import Kind
from app.extensions import db
from app.pages import charts, reports
from tests.analytics.books import pay
from tests.pages.conftest import HTMX, SignIn
from tests.support.cast import Cast
from tests.support.queries import count_queries

PAGE = "/platforms/onlyfans/analytics"
MARCH = "from=2026-03-01&to=2026-03-31"
TABLES = ["summary", *charts.FROM_DAYS, *charts.LATER, "transactions"]
PATHS = [PAGE, *(f"{PAGE}/{name}.csv" for name in TABLES), *(f"{PAGE}/charts/{name}" for name in charts.LATER)]


@pytest.fixture(autouse=True)
def books(cast: Cast) -> None:
    """What was paid in March, to Ada in Paris, to Bea and to Eve."""
    cast.account.time_zone = "Europe/Paris"
    tom, uma, _, _ = cast.fans
    uma.tags = ["vip"]
    db.session.commit()
    pay(cast.account, "2026-02-28 23:00", 1005, tom, Kind.SUBSCRIPTION)
    pay(cast.account, "2026-03-09 12:00", 251, uma)
    pay(cast.account, "2026-02-10 12:00", 100, uma)
    pay(cast.beas_account, "2026-03-10 12:00", 7077)
    pay(cast.eves_account, "2026-03-10 12:00", 99_913)
    service.roll_up()


def shown(html: str, figure: str) -> str:
    """The value of a key figure."""
    found = re.search(rf'id="figure-{figure}".*?class="value">([^<]*)<', html, re.DOTALL)
    assert found is not None
    return found[1]


def whole(client: FlaskClient, address: str) -> str:
    """The charts of the page: those that it has, and those that it asks for when they come into view."""
    html = client.get(address).text
    later = [client.get(unescape(path), headers=HTMX) for path in re.findall(r'<section [^>]*hx-get="([^"]+)"', html)]
    assert all(answer.status_code == 200 and "<html" not in answer.text for answer in later)
    return "".join([html, *(answer.text for answer in later)])


def rows(client: FlaskClient, name: str, query: str = MARCH) -> list[dict[str, str]]:
    """The lines of one of the page's files."""
    response = client.get(f"{PAGE}/{name}.csv?{query}", buffered=True)
    assert (response.status_code, response.mimetype) == (200, "text/csv")
    return list(csv.DictReader(io.StringIO(response.text)))


def dollars(lines: list[dict[str, str]], column: str = "Gross (USD)") -> str:
    """The sum of a column, as the page writes it."""
    cents = sum(int(line[column].replace(".", "")) for line in lines)
    return f"${cents / 100:,.2f}"


def test_the_files_add_up_to_the_page(sign_in: SignIn, max: User) -> None:
    client = sign_in(max)
    html = client.get(f"{PAGE}?{MARCH}").text
    for column, figure in (("Gross (USD)", "gross"), ("Net (USD)", "net")):
        for name in ("revenue", "types", "hours", "creators", "transactions"):
            assert dollars(rows(client, name), column) == shown(html, figure), name
    known = [line for line in rows(client, "transactions") if line["Fan"]]
    assert dollars(rows(client, "top-fans")) == dollars(known)
    figures = {line["Figure"]: line["This period"] for line in rows(client, "summary")}
    assert f"${figures['Revenue, gross (USD)']}" == shown(html, "gross") == "$83.33"


def test_a_file_names_its_time_zone_and_each_payments_local_time(sign_in: SignIn, ada: User) -> None:
    lines = rows(sign_in(ada), "transactions")
    assert [line["Time (Europe/Paris)"] for line in lines] == ["2026-03-01T00:00:00+01:00", "2026-03-09T13:00:00+01:00"]
    assert [(line["Type"], line["Fan"], line["Net (USD)"]) for line in lines] == [
        ("Subscriptions", "Tom Tester", "8.04"),
        ("Tips", "Uma Umbrella", "2.00"),
    ]


def test_nobody_sees_a_creator_who_is_not_theirs(sign_in: SignIn, cast: Cast) -> None:
    for who in (cast.max, cast.ada):
        client = sign_in(who)
        html = client.get(f"{PAGE}?{MARCH}").text
        assert "999.13" not in html
        assert cast.eves_account.display_name not in html
        for path in PATHS:
            assert "999.13" not in client.get(f"{path}?{MARCH}", buffered=True).text
            for account_id in (cast.eves_account.id, 10**9, "x", 0):
                assert client.get(f"{path}?account={cast.account.id}&account={account_id}").status_code == 404


def test_the_page_is_for_creators_and_managers(sign_in: SignIn, cast: Cast, client: FlaskClient) -> None:
    for path in PATHS:
        assert sign_in(cast.olga).get(path).status_code == 403
        assert client.get(path).status_code == 302
    for name in ("nothing.csv", "charts/nothing", "charts/revenue"):
        assert sign_in(cast.ada).get(f"{PAGE}/{name}").status_code == 404


def test_who_has_no_account_is_told_so(sign_in: SignIn, cast: Cast) -> None:
    cast.eves_account.owner_id = cast.ada.id
    db.session.commit()
    assert "No account yet" in sign_in(cast.eve).get(PAGE).text


@pytest.mark.parametrize(
    ("query", "gross"),
    [
        (MARCH, "$83.33"),
        ("from=2026-03-31&to=2026-03-01", "$83.33"),
        (f"{MARCH}&tag=vip", "$2.51"),
        (f"{MARCH}&tag=nobody", "$0.00"),
        (f"{MARCH}&zone=UTC", "$73.28"),
        (f"{MARCH}&zone=Europe/Atlantis&interval=century&money=gold", "$83.33"),
    ],
)
def test_the_address_says_what_is_shown(sign_in: SignIn, max: User, query: str, gross: str) -> None:
    client = sign_in(max)
    assert shown(client.get(f"{PAGE}?{query}").text, "gross") == gross
    assert dollars(rows(client, "transactions", query)) == gross


@pytest.mark.parametrize(
    "query",
    [
        "from=x&to=y",
        "from=9999-12-31&to=9999-12-31",
        "from=2001-01-01&to=2099-12-31",
        "range=%00",
        "tag=%00%ff",
        "zone=/",
    ],
)
def test_nonsense_means_what_is_usual(sign_in: SignIn, ada: User, query: str) -> None:
    client = sign_in(ada)
    response = client.get(f"{PAGE}?{query}")
    assert response.status_code == 200
    assert re.search(r'id="range-30d"[^>]*aria-current="true"', response.text)
    assert client.get(f"{PAGE}/transactions.csv?{query}", buffered=True).status_code == 200


def test_a_change_brings_only_what_it_changes(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    steps = client.get(f"{PAGE}?{MARCH}&interval=week", headers=HTMX | {"HX-Target": "over-time"})
    assert steps.text.count('class="plot ') == 2
    assert 'id="filters"' in steps.text
    assert "<html" not in steps.text
    assert 'class="figure"' not in steps.text
    report = client.get(f"{PAGE}?{MARCH}&zone=&tag=&range=30d", headers=HTMX | {"HX-Target": "report"})
    assert report.text.lstrip().startswith('<div id="report"')
    pushed = urlsplit(report.headers["HX-Push-Url"])
    assert (pushed.path, parse_qs(pushed.query)) == (PAGE, {"from": ["2026-03-01"], "to": ["2026-03-31"]})


def test_every_chart_has_its_table_or_says_why_it_is_empty(sign_in: SignIn, max: User, cast: Cast) -> None:
    html = whole(sign_in(max), f"{PAGE}?{MARCH}&interval=week")
    assert html.count("data-figure=") == html.count('<details class="numbers"') == 7
    assert "who paid for something in each week" in html
    assert f'href="/platforms/onlyfans/fans/{cast.fans[0].id}"' in html
    for figure in re.findall(r"data-figure='([^']*)'", html):
        assert json.loads(figure)["data"]
    client = sign_in(cast.ada)
    empty = whole(client, f"{PAGE}?from=2020-01-01&to=2020-01-31")
    assert empty.count("Nothing was paid in these days.") == 5
    assert "data-figure=" not in empty
    assert "Creators compared" not in empty
    assert shown(client.get(f"{PAGE}?from=2020-01-01&to=2020-01-31").text, "averageNet") == "–"


def test_without_scripts_every_later_chart_has_a_page(sign_in: SignIn, max: User) -> None:
    client = sign_in(max)
    links = re.findall(r'class="numbers"><a href="([^"]+)"', client.get(f"{PAGE}?{MARCH}&money=gross").text)
    assert [urlsplit(link).path.rpartition("/")[2] for link in links] == list(charts.LATER)
    for link in links:
        html = client.get(unescape(link)).text
        assert "<html" in html
        assert '<details class="numbers" open>' in html
        assert "1 Mar – 31 Mar 2026" in html
        assert re.search(rf'href="{PAGE}\?[^"]*money=gross', html)


def test_a_page_takes_as_many_queries_for_many_creators_as_for_one(sign_in: SignIn, cast: Cast) -> None:
    for who in (cast.ada, cast.max):
        client = sign_in(who)
        with count_queries() as statements:
            client.get(f"{PAGE}?{MARCH}&zone=UTC")
        assert len(statements) <= 22
        for name in charts.LATER:
            with count_queries() as statements:
                client.get(f"{PAGE}/charts/{name}?{MARCH}&zone=UTC", headers=HTMX)
            assert len(statements) <= 9, name


def test_ranges_mean_days_until_today(cast: Cast) -> None:
    today = date(2026, 3, 30)
    assert {key: str(reports.preset(key, today).first) for key in reports.RANGES} == {
        "7d": "2026-03-24",
        "30d": "2026-03-01",
        "90d": "2025-12-31",
        "12m": "2025-03-31",
        "24m": "2024-03-31",
        "month": "2026-03-01",
        "last-month": "2026-02-01",
    }
    assert str(reports.preset("last-month", today).last) == "2026-02-28"
    here = queries.today(queries.scope(cast.ada))
    assert reports.usual_interval(reports.preset("90d", here)) == "week"
    assert reports.preset("24m", here).last - reports.preset("24m", here).first == timedelta(days=729)
