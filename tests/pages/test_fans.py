"""The table of fans: found, sorted, tagged, edited in place, exported; only one's own."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.accounts.models import Account, User
from app.db import transaction
from app.extensions import db
from app.fans import service
from app.fans.models import Fan
from app.imports import service as imports
from app.imports.reader import Wishes
from app.pages import roster
from tests.pages.conftest import HTMX, SignIn, post
from tests.support.cast import Cast
from tests.support.queries import count_queries

PAGE = "/platforms/onlyfans/fans"
HOSTILE = ('<img src=x onerror="alert(1)">', "{{7*7}}", '" hx-get="/x', "=1+1", "<script>alert(1)</script>")


def _names(html: str) -> list[str]:
    return re.findall(r'class="name" dir="auto">([^<]*)<', html)


def test_it_lists_the_fans_of_an_account(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    assert _names(client.get(PAGE).text) == ["Nameless Nora", "Tom Tester", "Uma Umbrella", "Vic Vapour"]
    assert _names(client.get(f"{PAGE}?sort=-name").text)[0] == "Vic Vapour"
    assert _names(client.get(f"{PAGE}?q=@tom_").text) == ["Tom Tester"]
    assert "Nobody matches" in client.get(f"{PAGE}?q=zzz").text


def test_filters_live_in_the_address(sign_in: SignIn, ada: User, fan: Fan) -> None:
    service.change(ada, fan.id, {"tags": ["vip"], "tier": "Gold", "value_cents": 1250, "status": "expired"})
    client = sign_in(ada)
    for wish in ("tag=vip", "tier=Gold", "status=expired", "from=12.50", "from=$1&to=20"):
        assert _names(client.get(f"{PAGE}?{wish}").text) == ["Tom Tester"], wish
    answer = client.get(f"{PAGE}?tag=vip&from=1.000,50&q=", headers=HTMX | {"HX-Target": "roster"})
    assert answer.headers["HX-Push-Url"].endswith("tag=vip&from=1000.50")
    assert "<html" not in answer.text


def test_nonsense_in_the_address_asks_for_nothing(sign_in: SignIn, ada: User) -> None:
    client = sign_in(ada)
    for nonsense in (
        "sort=id", "status=x", "seen=5", "from=abc", "to=-3", "after=x", "after=5.x&sort=valueCents", "q=%00",
        "after=99999999999999999999.x", "before=1.99999999999999999999&sort=-lastSeenAt", "after=1.&sort=createdAt",
    ):  # fmt: skip
        assert client.get(f"{PAGE}?{nonsense}").status_code == 200, nonsense


def test_pages_go_on_and_back(sign_in: SignIn, ada: User, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "PAGE", 3)
    client = sign_in(ada)
    for sort in ("name", "-valueCents", "-lastSeenAt", "createdAt"):
        first = client.get(f"{PAGE}?sort={sort}").text
        after = re.search(r'rel="next" href="([^"]+)"', first)
        assert after is not None
        second = client.get(after[1].replace("&amp;", "&")).text
        assert len(_names(first)) == 3
        assert len(_names(second)) == 1
        before = re.search(r'rel="prev" href="([^"]+)"', second)
        assert before is not None
        assert _names(client.get(before[1].replace("&amp;", "&")).text) == _names(first)


def test_a_page_takes_few_queries_however_many_fans(sign_in: SignIn, ada: User, account: Account) -> None:
    client = sign_in(ada)
    with transaction():
        db.session.add_all(Fan(account_id=account.id, name=f"Fan {number}") for number in range(60))
    with count_queries() as statements:
        client.get(PAGE, headers=HTMX | {"HX-Target": "roster"})
    assert len(statements) <= 8


def test_many_are_tagged_at_once(sign_in: SignIn, cast: Cast) -> None:
    client, (tom, uma, *_) = sign_in(cast.ada), cast.fans
    data = {"account": str(cast.account.id), "word": " night  owl ", "fan": [str(tom.id), str(uma.id), "x"]}
    answer = post(client, f"{PAGE}/tag", data, htmx=False)  # type: ignore[arg-type]
    assert answer.status_code == 303
    assert "2 of 2 have it now" in client.get(answer.location).text
    assert (tom.tags, uma.tags) == (["night owl"], ["night owl"])
    post(client, f"{PAGE}/tag", data | {"act": "remove", "fan": str(tom.id)}, htmx=False)  # type: ignore[arg-type]
    assert (tom.tags, uma.tags) == ([], ["night owl"])


def test_all_who_match_are_tagged_and_the_filter_stays(sign_in: SignIn, cast: Cast) -> None:
    data = {"account": str(cast.account.id), "word": "v", "everybody": "y", "q": "v"}
    answer = post(sign_in(cast.ada), f"{PAGE}/tag", data, htmx=False)
    assert answer.location.endswith("q=v")
    tagged = db.session.scalars(select(Fan.name).where(Fan.tags != []).order_by(Fan.name)).all()
    assert tagged == ["Vic Vapour"]
    refused = post(sign_in(cast.ada), f"{PAGE}/tag", data | {"word": "x" * 51}, htmx=False)
    assert refused.status_code == 303


def test_a_row_is_edited_in_place(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client, path = sign_in(ada), f"{PAGE}/{cast.fans[0].id}"
    assert 'name="handle" value="tom_tester"' in client.get(f"{path}/edit", headers=HTMX).text
    saved = post(client, path, {"name": "Tommy", "handle": "@TOM", "tier": "", "tags": "a, b"})
    assert 'dir="auto">Tommy<' in saved.text
    fan = db.session.get_one(Fan, cast.fans[0].id)
    assert (fan.name, fan.handle, fan.tier, fan.tags) == ("Tommy", "tom", None, ["a", "b"])
    for wrong in (
        {"name": " "},
        {"handle": "two words"},
        {"handle": "uma_umbrella"},
        {"email": "x"},
        {"tags": "x" * 51},
    ):
        refused = post(client, path, wrong)
        assert refused.status_code == 422, wrong
        assert 'role="alert"' in refused.text
    assert db.session.get_one(Fan, cast.fans[0].id).name == "Tommy"


def test_the_export_is_what_is_filtered_and_comes_back_as_it_was(sign_in: SignIn, ada: User, cast: Cast) -> None:
    service.change(ada, cast.fans[0].id, {"name": "=1+1", "value_cents": 123450, "notes": "a\nb", "tags": ["x", "-y"]})
    client = sign_in(ada)
    answer = client.get(f"{PAGE}.csv?account={cast.account.id}&q=tom", buffered=True)
    assert answer.mimetype == "text/csv"
    head, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    told = dict(zip(head, row, strict=True))
    assert (told["Username"], told["Display Name"], told["Total Spent (USD)"]) == ("tom_tester", "'=1+1", "1234.50")
    again = imports.load(ada, cast.account.id, "back.csv", answer.data, Wishes())
    assert (again.unchanged, again.rejected, again.total_rows) == (1, 0, 1)


def test_what_belongs_to_somebody_else_is_not_there(sign_in: SignIn, cast: Cast) -> None:
    client, fan, account = sign_in(cast.eve), cast.fans[0], cast.account
    for path in (f"{PAGE}?account={account.id}", f"{PAGE}.csv?account={account.id}", f"{PAGE}/{fan.id}"):
        assert client.get(path).status_code == 404, path
    for path in (f"{PAGE}/{fan.id}", f"{PAGE}/{fan.id}/remove", f"{PAGE}/{fan.id}/write"):
        assert post(client, path, {"name": "Mine"}).status_code == 404, path
    answer = post(client, f"{PAGE}/tag", {"account": str(account.id), "word": "x", "fan": str(fan.id)})
    assert answer.status_code == 404


@pytest.mark.browser
def test_it_is_searched_sorted_tagged_and_edited_in_a_browser(enter: Callable[[User, str], Page], cast: Cast) -> None:
    page = enter(cast.ada, PAGE)
    page.fill("#q", "u")
    expect(page.locator(".roster tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"q=u"))
    page.click("#by-name")
    expect(page.locator(".roster .name").first).to_have_text("Vic Vapour")
    page.check("#pick-all")
    expect(page.locator("#chosen")).to_have_text("2 chosen")
    page.fill("#bulk-tag", "regular")
    page.click("text=Add tag")
    expect(page.locator(".roster .tag", has_text="regular")).to_have_count(2)
    page.locator("[id^=edit-]").first.press("Enter")
    page.locator(".row-form [name=name]").fill("Victor")
    page.locator(".row-form [name=name]").press("Enter")
    expect(page.locator(".roster .name").first).to_have_text("Victor")


@pytest.mark.browser
def test_hostile_names_are_text_and_nothing_else(enter: Callable[[User, str], Page], cast: Cast) -> None:
    for fan, name in zip(cast.fans, HOSTILE, strict=False):
        service.change(cast.ada, fan.id, {"name": name, "tags": [name[:50]], "tier": name[:50], "notes": name})
    page = enter(cast.ada, PAGE)
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    shown = page.locator(".roster .name").all_text_contents()
    assert sorted(shown) == sorted(HOSTILE[: len(cast.fans)])
    for fan, name in zip(cast.fans, HOSTILE, strict=False):
        page.goto(page.url.split("/platforms")[0] + f"{PAGE}/{fan.id}")
        expect(page.locator("h1")).to_have_text(name)
        assert page.locator("main img, main script").count() == 0
