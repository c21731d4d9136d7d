"""Reading: who sees what, the newest first in the list and last in the thread, older ones on demand, names inert."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.conversations.models import Conversation, SavedReply
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Status
from tests.pages.conftest import HTMX, SignIn, Write, crowd, post
from tests.support.cast import Cast
from tests.support.queries import count_queries

HOSTILE = ["<img src=x onerror=document.title='owned'>", "{{7*7}}", '" hx-get="/logout', "'><script>alert(1)</script>"]
NONSENSE = [
    "/abc",
    "/0",
    "/-1",
    "/999999999999999999999999",
    "/9223372036854775808",
    "/1.5",
    "/%00",
    "/%ff%fe",
    "?c=abc&account=x",
    "?account=999999999999999999999999",
    "?account=%00",
    "?after=zz&q=%00%ff%ED%A0%80",
    "?after=9999999999999999999-1",
    "?after=1-9999999999999999999999",
    "?after=-&filter=%00",
    "?q=" + "x" * 5000,
    "/1?before=%ff",
    "/1?before=0-0",
    "/1?before=9999999999999999-999999999999999999",
    "/1/older?before=x",
    "/1/older",
    "/rows",
    "/rows?account=1&after=0-1",
    "/rows?account=zz",
    "/live",
    "/live?account=1&c=x&v=....",
    "/live?account=1&c=1&v=a.b.c.%C2%B2",
    "/live?account=1&c=1&v=a.b.c.99999999999999999999999999",
    "/live?account=1&c=1&open=1,x,,99999999999999999999,-1,%00&newest=zz",
    "/live?account=99999999999999999999",
]


def test_the_list_and_the_thread_are_on_the_page(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Hello Ada", minutes_ago=3)
    write(conversation, "Hello Tom", minutes_ago=2, status=Status.SENT)
    page = sign_in(ada).get(f"/messages/onlyfans/{conversation.id}").text
    assert page.index("Hello Ada</p>") < page.index("Hello Tom</p>")
    assert f'id="c-{conversation.id}"' in page
    assert 'aria-current="true"' in page
    assert "<title>(1) Tom Tester · Messages · Huntaze</title>" in page


def test_a_chosen_conversation_comes_as_a_fragment(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    path = f"/messages/onlyfans/{conversation.id}"
    fragment = sign_in(ada).get(path, headers={**HTMX, "HX-Target": "thread"}).text
    assert "<html" not in fragment
    assert 'id="thread"' in fragment
    assert "<title>" in fragment


def test_a_managers_accounts_are_one_switch_apart(sign_in: SignIn, max: User, cast: Cast) -> None:
    client = sign_in(max)
    assert "Tom Tester" in client.get(f"/messages/onlyfans?account={cast.account.id}").text
    beas = client.get(f"/messages/onlyfans?account={cast.beas_account.id}").text
    assert "Tom Tester" not in beas
    assert f'href="/messages/onlyfans?account={cast.account.id}"' in beas
    assert "No conversations yet" in beas
    assert client.get(f"/messages/onlyfans?account={cast.eves_account.id}").status_code == 404


def test_what_is_not_yours_does_not_exist(sign_in: SignIn, ada: User, cast: Cast) -> None:
    client, theirs = sign_in(ada), cast.eves_conversation.id
    for path in ("/messages/onlyfans/{}", "/messages/onlyfans/{}/older", "/messages/onlyfans/live?account=1&c={}"):
        there, nowhere = client.get(path.format(theirs)), client.get(path.format(999_999))
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert there.data == nowhere.data
    assert client.get(f"/messages/onlyfans/live?account={cast.eves_account.id}").status_code == 404
    assert client.get(f"/messages/onlyfans/rows?account={cast.eves_account.id}").status_code == 404
    assert post(client, f"/messages/onlyfans/{theirs}/read").status_code == 404


def test_a_manager_without_accounts_is_told_what_to_do(sign_in: SignIn, max: User, cast: Cast) -> None:
    with transaction():
        db.session.execute(db.text("DELETE FROM membership"))
    assert "No account yet" in sign_in(max).get("/messages/onlyfans").text


def test_no_address_breaks_it(sign_in: SignIn, ada: User, conversation: Conversation) -> None:
    client = sign_in(ada)
    answers = {
        (path, fragment): client.get(f"/messages/onlyfans{path}", headers=HTMX if fragment else {}).status_code
        for path in NONSENSE
        for fragment in (False, True)
    }
    assert {case: status for case, status in answers.items() if status not in (200, 204, 400, 404)} == {}


def test_older_messages_come_in_stretches(
    any_database: str, sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    for number in range(90):
        write(conversation, f"number {number}.", minutes_ago=200 - number)
    client = sign_in(ada)
    page = client.get(f"/messages/onlyfans/{conversation.id}").text
    seen = [number for number in range(90) if f"number {number}.</p>" in page]
    assert seen == list(range(50, 90))
    for expected in (range(10, 50), range(10)):
        cursor = page.split("/older?before=")[1].split('"')[0]
        page = client.get(f"/messages/onlyfans/{conversation.id}/older?before={cursor}", headers=HTMX).text
        assert [number for number in range(90) if f"number {number}.</p>" in page] == list(expected)
    assert "The beginning of your conversation" in page


def test_the_list_comes_in_pages(any_database: str, sign_in: SignIn, ada: User, cast: Cast, write: Write) -> None:
    crowd(cast, 120, write)
    client = sign_in(ada)
    page, seen = client.get("/messages/onlyfans").text, []
    for _ in range(3):
        seen += [number for number in range(120) if f"Crowd {number}<" in page]
        if "/rows?" in page.split('id="more-rows"')[1]:
            following = page.split('id="more-rows"')[1].split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
            page = client.get(following, headers=HTMX).text
    assert sorted(seen) == list(range(120))


def test_a_long_inbox_costs_no_more_queries(sign_in: SignIn, ada: User, cast: Cast, write: Write) -> None:
    crowd(cast, 60, write)
    conversation = cast.conversations[0]
    for number in range(60):
        write(conversation, f"number {number}", minutes_ago=90 - number)
    client = sign_in(ada)
    with count_queries() as statements:
        client.get(f"/messages/onlyfans/{conversation.id}")
    assert len(statements) <= 20


def test_opening_marks_it_read_by_a_post_of_its_own(
    sign_in: SignIn, ada: User, conversation: Conversation, write: Write
) -> None:
    write(conversation, "Look!")
    client = sign_in(ada)
    page = client.get(f"/messages/onlyfans/{conversation.id}").text
    assert f'hx-post="/messages/onlyfans/{conversation.id}/read"' in page
    db.session.refresh(conversation)
    assert conversation.unread_count == 1
    answer = post(client, f"/messages/onlyfans/{conversation.id}/read")
    db.session.refresh(conversation)
    assert conversation.unread_count == 0
    assert "<title>Tom Tester" in answer.text


@pytest.mark.browser
@pytest.mark.parametrize("text", [HOSTILE[0], " ".join(HOSTILE[1:])])
def test_hostile_words_are_only_words(
    enter: Callable[..., Page], ada: User, conversation: Conversation, write: Write, text: str
) -> None:
    with transaction():
        fan = db.session.get_one(Fan, conversation.fan_id)
        fan.name = fan.tier = fan.handle = text[:50]
        fan.avatar = "javascript:alert(1)"
        fan.tags, fan.notes = [text[:50]], text
        said = text.replace("{{", "").replace("}}", "")  # A saved reply holds no placeholder but those that are known.
        db.session.add(SavedReply(account_id=fan.account_id, shortcut="hi", text=said))
    write(conversation, text, attachments=[{"type": text, "url": "javascript:alert(1)"}])
    write(conversation, text, status=Status.FAILED, error=text)
    asked: list[str] = []
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page.url)
    page.click("#panel-toggle")
    expect(page.locator("#fan-notes")).to_have_value(text)
    page.focus("#text")
    page.keyboard.type("/")
    expect(page.locator("#replies [role=option] span")).to_have_text(said)
    expect(page.locator("#thread-title")).to_have_text(text[:50])
    expect(page.locator(".message .text").first).to_have_text(text)
    assert page.locator("img, #main script, [hx-get='/logout'], [href^=javascript]").count() == 0
    assert not page.title().startswith("owned")
    assert not [url for url in asked if "logout" in url or url.endswith("/x")]


@pytest.mark.browser
def test_the_open_conversation_is_in_the_address(enter: Callable[..., Page], ada: User, cast: Cast) -> None:
    page = enter(ada)
    first, second = cast.conversations[:2]
    page.click(f"#row-{first.id}")
    expect(page.locator("#thread-title")).to_have_text("Tom Tester")
    page.click(f"#row-{second.id}")
    expect(page.locator("#thread-title")).to_have_text("Uma Umbrella")
    expect(page.locator("#rows [aria-current]")).to_have_attribute("id", f"row-{second.id}")
    assert page.url.endswith(f"/messages/onlyfans/{second.id}")
    page.reload()
    expect(page.locator("#thread-title")).to_have_text("Uma Umbrella")
    page.go_back()
    expect(page.locator("#thread-title")).to_have_text("Tom Tester")


@pytest.mark.browser
def test_scrolling_up_loads_older_ones_without_a_jump(
    enter: Callable[..., Page], ada: User, conversation: Conversation, write: Write
) -> None:
    for number in range(100):
        write(conversation, f"number {number}.", minutes_ago=200 - number)
    page = enter(ada, f"/messages/onlyfans/{conversation.id}")
    expect(page.locator(".message")).to_have_count(40)
    expect(page.locator("text=number 99.").last).to_be_in_viewport()
    place = "document.querySelector('#messages-scroller').getBoundingClientRect().top"
    mark = page.locator(".message", has_text="number 60.")
    mark.evaluate("element => element.scrollIntoView({block: 'start'})")
    top = mark.evaluate(f"element => element.getBoundingClientRect().top - {place}")
    expect(page.locator(".message")).to_have_count(80)
    assert abs(mark.evaluate(f"element => element.getBoundingClientRect().top - {place}") - top) < 2
    numbers = page.locator(".message .text").all_inner_texts()
    assert numbers == [f"number {number}." for number in range(20, 100)]
    page.locator(".message").first.scroll_into_view_if_needed()
    expect(page.locator(".beginning")).to_have_count(1)
    expect(page.locator(".message")).to_have_count(100)
