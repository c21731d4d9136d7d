"""One fan's page: numbers, money over time, campaigns, details, and the way out."""

from datetime import timedelta

from app.accounts.models import User
from app.analytics import service as analytics
from app.campaigns import service as campaigns
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings import service as earnings
from app.earnings.models import Kind
from app.earnings.service import Payment
from app.extensions import db
from app.fans import service
from app.fans.models import Fan
from app.messages import service as messages
from app.messages.rules import Draft
from tests.pages.conftest import SignIn, post
from tests.support.cast import Cast

PAGE = "/platforms/onlyfans/fans"


def test_it_shows_what_is_known(sign_in: SignIn, ada: User, fan: Fan) -> None:
    service.change(ada, fan.id, {"tier": "Gold", "tags": ["vip"], "notes": "Likes trams", "email": "t@example.com"})
    paid = Payment("p1", Kind.TIP, 1250, 1000, now() - timedelta(minutes=5), fan.id)
    earnings.record(fan.account_id, [paid])
    analytics.roll_up()
    text = sign_in(ada).get(f"{PAGE}/{fan.id}").text
    for shown in ("Tom Tester", "@tom_tester", "t@example.com", "Gold", "vip", "Likes trams", "$12.50", "Tip"):
        assert shown in text
    assert f'<td class="number">{"$12.50"}</td>' in text
    assert text.partition('class="months"')[2].partition("</svg>")[0].count("<rect x=") == 12


def test_it_lists_campaigns_and_leads_to_the_conversation(sign_in: SignIn, cast: Cast) -> None:
    fan = cast.fans[0]
    campaigns.launch(cast.ada, cast.account.id, "Spring news", Draft(text="Hi"), [fan.id])
    text = sign_in(cast.ada).get(f"{PAGE}/{fan.id}").text
    assert "Spring news" in text
    assert f'href="/messages/onlyfans/{cast.conversations[0].id}"' in text
    assert "Spring news</a>" not in sign_in(cast.max).get(f"{PAGE}/{fan.id}").text


def test_a_conversation_begins_where_there_was_none(sign_in: SignIn, ada: User, cast: Cast) -> None:
    fan = service.create(ada, cast.account.id, {"name": "Silent", "platform_id": "9999"})
    client = sign_in(ada)
    assert "/write" in client.get(f"{PAGE}/{fan.id}").text
    answer = post(client, f"{PAGE}/{fan.id}/write", htmx=False)
    begun = db.session.query(Conversation).filter_by(fan_id=fan.id).one()
    assert answer.location == f"/messages/onlyfans/{begun.id}"


def test_details_are_kept_and_faults_come_back(sign_in: SignIn, ada: User, fan: Fan) -> None:
    client, path = sign_in(ada), f"{PAGE}/{fan.id}"
    written = {"name": "Tommy", "email": "", "tier": "Gold", "status": "expired", "tags": "a", "notes": "x\r\ny"}
    assert post(client, path, written, htmx=False).status_code == 303
    fan = db.session.get_one(Fan, fan.id)
    assert (fan.name, fan.email, fan.tier, fan.status, fan.notes) == ("Tommy", None, "Gold", "expired", "x\ny")
    refused = post(client, path, written | {"email": "nobody", "notes": "kept text", "status": "gone"}, htmx=False)
    assert refused.status_code == 422
    assert "kept text" in refused.text
    assert "must be an e-mail address" in refused.text


def test_who_is_taken_out_is_forgotten_and_what_was_written_stays(sign_in: SignIn, cast: Cast) -> None:
    fan, client = cast.fans[0], sign_in(cast.ada)
    fan_id = fan.id
    answer = post(client, f"{PAGE}/{fan_id}/remove", htmx=False)
    assert answer.status_code == 303
    assert "Tom Tester is taken out" in client.get(answer.location).text
    assert client.get(f"{PAGE}/{fan_id}").status_code == 404
    assert "Removed fan" in client.get(f"/messages/onlyfans/{cast.conversations[0].id}").text


def test_nobody_is_taken_out_while_messages_are_on_the_way(sign_in: SignIn, cast: Cast) -> None:
    messages.send(cast.ada, cast.conversations[0].id, Draft(text="Hello"))
    client = sign_in(cast.ada)
    answer = post(client, f"{PAGE}/{cast.fans[0].id}/remove", htmx=False)
    assert "on the way" in client.get(answer.location).text
    with transaction():
        assert db.session.get_one(Fan, cast.fans[0].id).removed_at is None
