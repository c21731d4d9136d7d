"""The operations page: everybody watches and stops their own accounts, an operator the whole; nobody reads a text."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from app.accounts.models import Account, User
from app.clock import now
from app.db import database_now, transaction
from app.delivery import heartbeat, stop
from app.delivery.desk import Desk
from app.extensions import db
from app.gateways.sqs import Ticket
from app.messages.models import Message, Status
from app.monitoring import service as counting
from tests.messages.line import queue
from tests.pages.conftest import HTMX, SignIn, Write, csrf_token, sign_in_with
from tests.support.apps import MakeApp
from tests.support.cast import Cast

PAGE = "/operations"
SECRET = "Words for nobody else"


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    """A POST of a form on the page: its status, and what the next page says."""
    token = csrf_token(client, PAGE)
    answer = client.post(f"{PAGE}/{path}", data={"csrf_token": token, **form})
    return answer.status_code, client.get(PAGE).text


def test_everybody_sees_their_own_accounts_and_an_operator_all(sign_in: SignIn, cast: Cast) -> None:
    heartbeat.beat("worker-7", "delivery")
    queue(cast.ada, cast.conversations[0], SECRET)
    names = {"Ada": cast.account, "Bea": cast.beas_account, "Eve": cast.eves_account}
    seen = {cast.ada: {"Ada"}, cast.max: {"Ada", "Bea"}, cast.eve: {"Eve"}, cast.olga: {"Ada", "Bea", "Eve"}}
    for user, theirs in seen.items():
        page = sign_in(user).get(PAGE).text
        assert "All is well" in page
        assert {name for name, account in names.items() if account.platform_id in page} == theirs
        assert ("Goes now" in page) == ("Ada" in theirs)
        assert SECRET not in page
        assert "Tom Tester" not in page
        assert ("worker-7" in page, "Stop all sending" in page) == ((user is cast.olga),) * 2


def test_the_owner_is_led_to_where_an_account_is_connected_again(sign_in: SignIn, cast: Cast) -> None:
    with transaction():
        cast.account.reconnect_since = database_now()
        db.session.add(cast.account)
    link = 'href="/platforms/onlyfans/connect">Connect it'
    assert link in sign_in(cast.ada).get(PAGE).text
    managed = sign_in(cast.max).get(PAGE).text
    assert "Must be connected again" in managed
    assert link not in managed


def test_it_says_what_is_wrong(make_app: MakeApp, cast: Cast, aws: object) -> None:
    away = "http://127.0.0.1:9/1/q"
    app = make_app(SQS_RATE_LIMITER_QUEUE=away, SQS_RATE_LIMITER_DLQ=away, REDIS_URL="redis://127.0.0.1:9")
    client = app.test_client()
    assert sign_in_with(client, cast.olga.email).status_code == 302
    page = client.get(PAGE).text
    for words in ("Nothing is being sent", "It keeps the limit", "handed over without it", "None was ever seen"):
        assert words in page, words
    letters = client.get(f"{PAGE}/aws").text
    assert "The dead letters can’t be read" in letters


def test_people_stop_their_account_after_a_question(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.max)
    assert "Stop sending for Ada?" in client.get(f"{PAGE}/stop?account={cast.account.id}").text
    heartbeat.beat("worker", "delivery")
    status, page = send(client, "stop", account=cast.account.id)
    assert "1 account is stopped or paused" in page
    assert status == 303
    assert "Emergency stop since" in page
    assert db.session.get_one(Account, cast.account.id).stopped_at is not None
    _, page = send(client, "resume", account=cast.account.id)
    assert "Sending goes on for Ada" in page
    assert db.session.get_one(Account, cast.account.id).stopped_at is None


def test_nobody_stops_others(sign_in: SignIn, cast: Cast) -> None:
    eve, olga = sign_in(cast.eve), sign_in(cast.olga)
    for client in (eve, olga):
        for account_id in (cast.account.id, 10**9):
            assert client.get(f"{PAGE}/stop?account={account_id}").status_code == 404
            assert send(client, "stop", account=account_id)[0] == 404
            assert send(client, "resume", account=account_id)[0] == 404
    for path in ("stop", "resume", "redrive"):
        assert send(eve, path)[0] == 403
    assert [eve.get(f"{PAGE}/{path}").status_code for path in ("stop", "redrive", "aws")] == [403] * 3
    assert not stop.is_stopped()


def test_an_operator_stops_everybody(sign_in: SignIn, cast: Cast) -> None:
    heartbeat.beat("worker", "delivery")
    queue(cast.ada, cast.conversations[0])
    client = sign_in(cast.olga)
    assert "Stop sending for everybody?" in client.get(f"{PAGE}/stop").text
    _, page = send(client, "stop")
    assert "by Olga Example" in page
    hers = sign_in(cast.ada).get(PAGE).text
    assert "Sending is stopped" in hers
    assert "by an operator" in hers
    assert "Emergency stop for everybody" in hers
    _, page = send(client, "resume")
    assert "Sending goes on" in page
    assert not stop.is_stopped()


def test_accounts_can_be_found_and_turned_over(sign_in: SignIn, cast: Cast) -> None:
    db.session.add_all(
        Account(platform_id=f"acct_n{n}", owner_id=cast.ada.id, display_name=f"Number {n:02}") for n in range(30)
    )
    db.session.commit()
    client = sign_in(cast.olga)
    fragment = client.get(f"{PAGE}?offset=20", headers=HTMX | {"HX-Target": "now"}).text
    assert "<html" not in fragment
    assert "Number 29" in fragment
    assert "Number 07" in client.get(f"{PAGE}?q=acct_n7").text
    assert "Nothing waits on any account" in client.get(f"{PAGE}?show=waiting").text
    for nonsense in ("show=x", "offset=x", "offset=999999999999", "hours=7", "q=%00", "q=%25%27"):
        assert client.get(f"{PAGE}?{nonsense}").status_code == 200, nonsense


@pytest.fixture
def dead(cast: Cast, write: Write, app: object, aws: object) -> Message:
    """A message of Ada's that failed, with its dead letter; and a letter that no message belongs to."""
    message = write(
        cast.conversations[0],
        SECRET,
        status=Status.FAILED,
        failed_at=now(),
        error=f"Not allowed: {SECRET}",
        queued_at=now(),
    )
    desk: Desk = app.extensions["desk"]  # type: ignore[attr-defined]
    desk.relay.bury_once()
    body = json.dumps({"body": f'{{"content": "{SECRET}"}}', "reason": "messageId: Field required"})
    assert desk.dead_letters is not None
    desk.dead_letters.send([Ticket("1", body, {"reason": "x"}, "unreadable")])
    return message


def test_dead_letters_are_listed_without_texts_and_redriven(sign_in: SignIn, cast: Cast, dead: Message) -> None:
    client = sign_in(cast.olga)
    page = client.get(f"{PAGE}/aws").text
    for words in (
        dead.public_id,
        "Its message failed",
        "The platform refuses the wording",
        "No message belongs to it",
        "Field required",
        "Not set up",
    ):
        assert words in page, words
    assert SECRET not in page
    assert "Give all dead letters another chance?" in client.get(f"{PAGE}/redrive").text
    _, page = send(client, "redrive", letter="no-such-letter")
    assert "isn&#39;t there" in page
    _, page = send(client, "redrive")
    assert "1 messages are in line again, 1 tickets are on the queue again" in page
    assert db.session.query(Message).filter_by(retry_of_id=dead.id).one().status == Status.QUEUED
    assert "None: no ticket was given up" in client.get(f"{PAGE}/aws").text


@pytest.mark.browser
def test_the_charts_are_drawn_and_nothing_complains(
    enter: Callable[..., Page], page: Page, ada: User, cast: Cast, write: Write
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for minutes in (20, 40, 90):
        ended = database_now() - timedelta(minutes=minutes)
        write(cast.conversations[0], "Hi", status=Status.SENT, sent_at=ended, queued_at=ended - timedelta(seconds=4))
    counting.roll_up()
    page.set_viewport_size({"width": 390, "height": 844})
    enter(ada, PAGE)
    expect(page.locator("#chart-messages.drawn .bars .point path")).not_to_have_count(0)
    expect(page.locator("#chart-latency.drawn .scatterlayer .trace")).to_have_count(3)
    page.locator("#chart-messages .nsewdrag").hover(force=True)
    page.click("#hours-1")
    expect(page.locator("#hours-1")).to_have_attribute("aria-current", "true")
    expect(page.locator("#chart-messages.drawn")).to_have_count(1)
    with page.expect_response("**/operations"):
        page.evaluate("htmx.trigger('#pulse', 'look')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert said == []
