"""The pages of campaigns: whom it reaches and what they read before, one launch a press, how it is doing after."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.accounts.models import User
from app.campaigns import queries, service
from app.campaigns.models import Campaign
from app.clock import now
from app.db import transaction
from app.delivery import heartbeat
from app.earnings.models import Kind, Transaction
from app.extensions import db
from app.messages import outcomes
from app.messages.models import Message, Priority, Status
from app.messages.outcomes import Failed, Sent
from tests.campaigns.campaigns import crowd, launch, messages
from tests.messages.line import must_claim
from tests.pages.conftest import HTMX, SignIn, Write, post
from tests.support.cast import Cast
from tests.support.queries import count_queries

BULK, CAMPAIGNS = "/messages/bulk", "/messages/campaigns"
KEY = re.compile(r'id="key"[^>]*value="([^"]+)"')
LATER = datetime(2099, 1, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def visitor(sign_in: SignIn, cast: Cast) -> FlaskClient:
    """Ada, signed in, while a worker is alive."""
    heartbeat.beat("tests", "delivery")
    return sign_in(cast.ada)


@pytest.fixture
def fill(visitor: FlaskClient, cast: Cast) -> Callable[..., dict[str, str]]:
    """`fill(content="Hi")`: what the browser sends of the form, as its page gave it out."""

    def write(**values: str) -> dict[str, str]:
        key = KEY.search(visitor.get(BULK).text)
        assert key is not None
        form = {"account": str(cast.account.id), "key": key[1], "when": "now", "quiet": "0", "spare_live": "y"}
        return form | {"name": "Friday", "content": "Hi {{name}}!"} | values

    return write


Fill = Callable[..., dict[str, str]]


def count_of(table: type[Campaign] | type[Message]) -> int:
    """How many rows there are."""
    return db.session.execute(select(func.count()).select_from(table)).scalar_one()


def test_the_form_says_at_once_whom_it_reaches(visitor: FlaskClient, cast: Cast) -> None:
    page = visitor.get(BULK).text
    assert "<strong>3</strong> fans" in page
    assert "1 more match but can&#39;t be written to" in page or "1 more match but can't be written to" in page
    assert "Tom Tester" in page
    assert "replies go first" in page


def test_the_outlook_follows_the_form(visitor: FlaskClient, cast: Cast, fill: Fill) -> None:
    with transaction():
        cast.fans[0].tags = ["vip"]
    answer = post(visitor, f"{BULK}/outlook", fill(tag="vip", name="", content="Hello {{name}}, {{tier|dear}}!"))
    assert answer.status_code == 200
    assert "<strong>1</strong> fan" in answer.text
    assert "Hello Tom Tester, dear!" in answer.text
    assert "Uma" not in answer.text
    later = post(visitor, f"{BULK}/outlook", fill(when="later", at="2099-01-02T10:00"))
    assert "2 Jan 2099, 10:00" in later.text
    assert "Schedule" in later.text
    assert count_of(Campaign) == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tag": "nobody"}, "Nobody matches all of this"),
        ({"content": "Hi {{nmae}}"}, "Nobody knows {{nmae}}"),
        ({"spent_from": "a lot"}, "once the wishes above are clear"),
        ({"tag": "x" * 51}, "once the wishes above are clear"),
        ({"tag": "a\x00b"}, "once the wishes above are clear"),
        ({"seen": "3"}, "once the wishes above are clear"),
        ({"content": ""}, "Write a text"),
    ],
)
def test_what_is_not_clear_is_said(visitor: FlaskClient, fill: Fill, values: dict[str, str], words: str) -> None:
    answer = post(visitor, f"{BULK}/outlook", fill(**values))
    assert answer.status_code == 200
    assert words in answer.text


def test_nothing_moves_and_the_page_says_why(sign_in: SignIn, cast: Cast) -> None:
    assert "No worker is running" in sign_in(cast.ada).get(BULK).text


def test_a_launch_leads_to_the_campaign(visitor: FlaskClient, cast: Cast, fill: Fill) -> None:
    form = fill(media="https://cdn.example.com/a.mp4\n", price="12.50", tier="", spent_to="100")
    answer = post(visitor, BULK, form, htmx=False)
    campaign = db.session.scalars(select(Campaign)).one()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{CAMPAIGNS}/{campaign.id}")
    rows = messages(campaign)
    assert sorted(row.text for row in rows) == ["Hi Tom Tester!", "Hi Uma Umbrella!", "Hi Vic Vapour!"]
    for row in rows:
        assert (row.priority, row.price_cents) == (Priority.LOW, 1250)
        assert row.attachments == [{"type": "video", "url": "https://cdn.example.com/a.mp4"}]
        assert row.sqs_message_id is not None
    page = visitor.get(f"{CAMPAIGNS}/{campaign.id}").text
    assert "0 of 3 fans" in page
    assert "Hi {{name}}!" in page
    assert "$12.50" in page


def test_one_press_is_one_campaign_however_often_it_arrives(visitor: FlaskClient, fill: Fill) -> None:
    form = fill()
    places = {post(visitor, BULK, form, htmx=False).headers["Location"] for _ in range(3)}
    assert len(places) == 1
    assert (count_of(Campaign), count_of(Message)) == (1, 3)
    changed = post(visitor, BULK, form | {"content": "Another"}, htmx=False)
    assert (changed.status_code, count_of(Campaign)) == (422, 1)
    assert "out of date" in changed.text


def test_later_is_on_the_readers_clock(visitor: FlaskClient, fill: Fill) -> None:
    visitor.set_cookie("zone", "Europe/Paris")
    post(visitor, BULK, fill(when="later", at="2099-01-02T11:00"), htmx=False)
    assert {message.due_at for message in db.session.scalars(select(Message))} == {LATER}
    assert {message.status for message in db.session.scalars(select(Message))} == {Status.SCHEDULED}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "x" * 101}, "100"),
        ({"content": "  "}, "Content is required"),
        ({"content": "x" * 5001}, "at most 5000"),
        ({"media": "http://example.com/a.jpg"}, "https://"),
        ({"media": "\n".join(["https://cdn.example.com/a.jpg"] * 11)}, "At most 10"),
        ({"price": "5"}, "A price needs a photo or a video"),
        ({"price": "1", "media": "https://cdn.example.com/a.jpg"}, "$3 to $200"),
        ({"price": "5,555"}, "Write an amount such as 12.50"),
        ({"spent_from": "5", "spent_to": "4"}, "less than the amount before"),
        ({"when": "later", "at": "2001-01-01T00:00"}, "in the future"),
        ({"when": "later", "at": "0001-01-01T00:00"}, "in the future"),
        ({"when": "later", "at": "soon"}, "in the future"),
        ({"when": "never"}, "Not launched yet"),
        ({"tag": "nobody"}, "Nobody matches: choose more fans"),
        ({"quiet": "999"}, "Not launched yet"),
        ({"key": "x"}, "out of date"),
    ],
)
def test_a_form_with_faults_comes_back_with_what_was_written(
    visitor: FlaskClient, fill: Fill, values: dict[str, str], words: str
) -> None:
    answer = post(visitor, BULK, fill(content="Kept as it was") | values, htmx=False)
    assert answer.status_code == 422
    assert words in answer.text
    assert "content" in values or "Kept as it was" in answer.text
    assert count_of(Campaign) == 0


def test_wishes_may_stand_in_the_address(visitor: FlaskClient, cast: Cast) -> None:
    with transaction():
        cast.fans[0].tags = ["vip"]
    assert "<strong>1</strong> fan" in visitor.get(f"{BULK}?tag=vip").text
    assert "<strong>1</strong> fan" in visitor.get(f"{BULK}?tag=vip&status=active&seen=-7&from=0&to=100.50").text
    nonsense = "tag=%00%ff&tier=%00&status=x&seen=x&from=lots&to=-1&without_tag=" + "x" * 99
    assert visitor.get(f"{BULK}?{nonsense}&account={cast.account.id}").status_code == 200


def test_campaigns_are_listed_newest_first_page_by_page(visitor: FlaskClient, cast: Cast) -> None:
    assert "Write to many at once" in visitor.get(CAMPAIGNS).text
    for number in range(22):
        launch(cast.ada, cast.fans[:1], name=f"Number {number}.")
    with count_queries() as statements:
        first = visitor.get(CAMPAIGNS).text
    assert len(statements) <= 8
    assert first.index("Number 21.") < first.index("Number 2.")
    assert "Number 1." not in first
    second = visitor.get(f"{CAMPAIGNS}?offset=20").text
    assert "Number 1." in second
    assert "Nothing further back" in visitor.get(f"{CAMPAIGNS}?offset=999").text


def live(visitor: FlaskClient, page: str) -> TestResponse:
    """What the page's next poll gets."""
    found = re.search(r'hx-get="(/messages/campaigns/\d+/live[^"]+)"', page)
    assert found is not None
    return visitor.get(found[1].replace("&amp;", "&"), headers=HTMX | {"X-Poll": "1"})


def test_a_poll_costs_nothing_until_something_changes(visitor: FlaskClient, cast: Cast) -> None:
    campaign = launch(cast.ada, cast.fans[:2], received=True)
    page = visitor.get(f"{CAMPAIGNS}/{campaign.id}").text
    assert live(visitor, page).status_code == 204
    envelope = must_claim(cast.account)
    outcomes.record([(envelope, Sent("p1"))])
    news = live(visitor, page)
    assert news.headers["HX-Trigger"] == "campaign-changed"
    assert "1 of 2 fans" in news.text
    assert live(visitor, news.text).status_code == 204
    outcomes.record([(must_claim(cast.account), Failed("They don't accept messages"))])
    over = live(visitor, news.text)
    assert "2 of 2 fans" in over.text
    assert "live?" not in over.text


def test_pause_resume_cancel_retry(visitor: FlaskClient, cast: Cast) -> None:
    campaign = launch(cast.ada, cast.fans[:3], received=True)
    path = f"{CAMPAIGNS}/{campaign.id}"
    outcomes.record([(must_claim(cast.account), Failed("No"))])
    assert "Paused: nothing more goes" in post(visitor, f"{path}/pause").text
    assert "Pause</button>" in post(visitor, f"{path}/resume").text
    retried = post(visitor, f"{path}/retry").text
    assert "Failed <strong>0</strong>" in retried
    refused = post(visitor, f"{path}/retry")
    assert (refused.status_code, "None of the failed can be tried again" in refused.text) == (409, True)
    assert post(visitor, f"{path}/cancel", htmx=False).headers["Location"] == path
    assert queries.standing(cast.ada, campaign.id).counts.canceled == 3
    assert post(visitor, f"{path}/pause").status_code == 409


def test_a_late_campaign_asks(visitor: FlaskClient, cast: Cast) -> None:
    campaign = launch(cast.ada, cast.fans[:2], received=True)
    service.hold_left_over()
    page = visitor.get(f"{CAMPAIGNS}/{campaign.id}").text
    assert "Does it still fit?" in page
    assert "Send now</button>" in page


def test_results_are_shown_fan_by_fan_with_reasons(visitor: FlaskClient, cast: Cast) -> None:
    campaign = launch(cast.ada, crowd(cast, 60), received=True)
    outcomes.record([(must_claim(cast.account), Failed("They don't accept messages"))])
    path = f"{CAMPAIGNS}/{campaign.id}"
    first = visitor.get(path).text
    assert first.count('class="outcome ') == 50
    assert visitor.get(f"{path}/results?offset=50", headers=HTMX).text.count('class="outcome ') == 10
    failed = visitor.get(f"{path}?status=failed").text
    assert failed.count('class="outcome ') == 1
    assert "They don&#39;t accept messages" in failed
    for odd in ("status=nonsense", "offset=-1", "offset=99999999999999999999", "status=__class__"):
        assert visitor.get(f"{path}?{odd}").status_code == 200


def test_what_fans_did_afterwards_is_counted(visitor: FlaskClient, cast: Cast, write: Write) -> None:
    campaign = launch(cast.ada, cast.fans[:1], received=True)
    outcomes.record([(must_claim(cast.account), Sent("p1"))])
    with transaction():
        messages(campaign)[0].sent_at = now() - timedelta(hours=1)
        db.session.add(
            Transaction(
                account_id=cast.account.id,
                fan_id=cast.fans[0].id,
                platform_id="t1",
                type=Kind.MESSAGE,
                gross_cents=2000,
                net_cents=1600,
                received_at=now(),
            )
        )
    write(cast.conversations[0], "Thank you!")
    page = visitor.get(f"{CAMPAIGNS}/{campaign.id}/afterwards", headers=HTMX).text
    for shown in ("Answered</dt><dd>1<", "tipped</dt><dd>1<", "gross</dt><dd>$20<", "net</dt><dd>$16<"):
        assert shown in page


def test_campaigns_are_for_creators_and_their_own(sign_in: SignIn, cast: Cast, max: User, eve: User) -> None:
    campaign = launch(cast.ada, cast.fans[:2])
    manager, stranger = sign_in(max), sign_in(eve)
    for path in (BULK, CAMPAIGNS, f"{CAMPAIGNS}/{campaign.id}"):
        assert manager.get(path).status_code == 403
    assert "Campaigns</span>" not in manager.get("/messages/onlyfans").text
    for ending in ("", "/live", "/results", "/afterwards"):
        theirs, never = (stranger.get(f"{CAMPAIGNS}/{number}{ending}") for number in (campaign.id, 10**9))
        assert (theirs.status_code, never.status_code) == (404, 404)
    for verb in ("pause", "resume", "cancel", "retry"):
        assert post(stranger, f"{CAMPAIGNS}/{campaign.id}/{verb}").status_code == 404
    form = {"account": str(cast.account.id), "name": "x", "content": "x"}
    assert post(stranger, BULK, form).status_code == 404
    assert stranger.get(f"{BULK}?account={cast.account.id}").status_code == 404
