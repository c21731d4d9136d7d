"""Campaigns through the JSON door: launched with placeholders, rejected fans named, looked at, paused, canceled."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.models import Membership
from app.campaigns import planning
from app.campaigns.models import Campaign
from app.delivery import heartbeat
from app.extensions import db
from app.messages.models import Message, Priority, Status
from tests.api.conftest import Caller, SignIn, moment
from tests.campaigns.campaigns import crowd
from tests.support.apps import MakeApp
from tests.support.cast import Cast
from tests.support.queries import count_queries

BULK = "/api/messages/bulk"
CAMPAIGNS = "/api/crm/campaigns"


def body(fans: list[Any], **fields: Any) -> dict[str, Any]:
    """A request to launch a campaign to these fans."""
    ids = [getattr(fan, "id", fan) for fan in fans]
    return {"recipientIds": ids, "content": "Hi {{name}}!", "campaignName": "Black Friday"} | fields


@pytest.fixture
def worker(cast: Cast) -> None:
    """A delivery worker is alive, so that estimates can be made."""
    heartbeat.beat("tests", "delivery")


def rows() -> list[Message]:
    """All messages, the first ones first."""
    return list(db.session.scalars(select(Message).order_by(Message.id)))


@pytest.mark.usefixtures("worker")
def test_a_campaign_is_planned_published_and_answered(as_ada: Caller, cast: Cast) -> None:
    response = as_ada.post(BULK, body(cast.fans[:3], mediaUrls=["https://cdn.example.com/a.mp4"], priceCents=900))
    assert response.status_code == 202
    campaign = db.session.scalars(select(Campaign)).one()
    answer = response.json
    finished = moment(answer.pop("estimatedCompletionTime"))
    assert answer == {
        "success": True,
        "campaignId": campaign.id,
        "totalRecipients": 3,
        "queued": 3,
        "failed": 0,
        "rejected": [],
        "status": "queued",
    }
    assert timedelta(seconds=4) < finished - campaign.created_at < timedelta(seconds=9)
    assert [message.text for message in rows()] == ["Hi Tom Tester!", "Hi Uma Umbrella!", "Hi Vic Vapour!"]
    for message in rows():
        assert (message.campaign_id, message.priority, message.price_cents) == (campaign.id, Priority.LOW, 900)
        assert message.attachments == [{"type": "video", "url": "https://cdn.example.com/a.mp4"}]
        assert message.sqs_message_id is not None


def test_duplicates_get_it_once_and_the_unreachable_are_rejected(as_ada: Caller, cast: Cast) -> None:
    tom, nameless, eves = cast.fans[0], cast.fans[-1], cast.eves_conversation.fan_id
    answer = as_ada.post(BULK, body([tom, tom, nameless, eves, 10**17, nameless])).json
    assert (answer["totalRecipients"], answer["queued"]) == (1, 1)
    assert answer["rejected"] == [
        {"recipientId": nameless.id, "reason": planning.NO_PLATFORM_ID},
        {"recipientId": eves, "reason": planning.UNKNOWN},
        {"recipientId": 10**17, "reason": planning.UNKNOWN},
    ]


def test_nobody_left_is_a_campaign_that_is_over(as_ada: Caller, cast: Cast) -> None:
    answer = as_ada.post(BULK, body([cast.eves_conversation.fan_id])).json
    assert (answer["totalRecipients"], answer["queued"], answer["status"]) == (0, 0, "completed")
    assert answer["estimatedCompletionTime"] is None
    assert len(answer["rejected"]) == 1


def test_all_faults_are_told_at_once(as_ada: Caller, cast: Cast) -> None:
    response = as_ada.post(BULK, {"recipientIds": [], "content": "Hi {{nmae}}", "priceCents": 500, "to": 1})
    assert response.status_code == 400
    told = {one["field"]: one["message"] for one in response.json["details"]}
    assert told == {
        "recipientIds": "Recipient IDs must hold at least 1",
        "content": "Nobody knows {{nmae}}: placeholders are {{name}}, {{handle}}, {{tier}}",
        "campaignName": "Campaign name is required",
        "priceCents": "A price needs media",
        "to": "There is no field 'to' here",
    }
    assert rows() == []


def test_the_most_recipients_are_configuration(make_app: MakeApp, as_ada: Caller, cast: Cast) -> None:
    small = Caller(make_app(BULK_MAX_RECIPIENTS=2).test_client())
    small.headers = as_ada.headers
    refused = small.post(BULK, body(cast.fans[:3]))
    assert refused.json["details"] == [
        {"field": "recipientIds", "message": "At most 2 recipients fit into one campaign"}
    ]
    assert small.post(BULK, body(cast.fans[:2])).status_code == 202
    schemas = small.get("/api/openapi.json").json["components"]["schemas"]
    assert schemas["BulkRequest"]["properties"]["recipientIds"]["maxItems"] == 2
    assert as_ada.post(BULK, body([*range(1, 102)])).status_code == 400


def test_with_several_accounts_one_must_be_named(call_as: SignIn, cast: Cast) -> None:
    db.session.add(Membership(account_id=cast.account.id, user_id=cast.bea.id))
    db.session.commit()
    bea = call_as(cast.bea)
    assert bea.post(BULK, body(cast.fans[:1])).json["details"][0]["field"] == "accountId"
    assert bea.post(BULK, body(cast.fans[:1], accountId=cast.account.id)).json["totalRecipients"] == 1
    others = bea.post(BULK, body(cast.fans[:1], accountId=cast.beas_account.id)).json
    assert others["rejected"] == [{"recipientId": cast.fans[0].id, "reason": planning.UNKNOWN}]
    assert bea.post(BULK, body(cast.fans[:1], accountId=cast.eves_account.id)).status_code == 404


def test_the_same_key_launches_once_and_answers_the_same(as_ada: Caller, cast: Cast) -> None:
    headers = {"Idempotency-Key": "friday"}
    first, again = (as_ada.post(BULK, body([*cast.fans, 10**9]), headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["campaignId"] == again.json["campaignId"]
    assert first.json["rejected"] == again.json["rejected"]
    assert len(rows()) == 3
    assert as_ada.post(BULK, body(cast.fans[:1]), headers=headers).status_code == 422


def test_five_a_minute_and_no_more(as_ada: Caller, cast: Cast) -> None:
    answers = [as_ada.post(BULK, body(cast.fans[:1])).status_code for _ in range(6)]
    assert answers == [202] * 5 + [429]


@pytest.mark.usefixtures("worker", "any_database")
def test_a_hundred_recipients_cost_as_many_queries_as_two(as_ada: Caller, cast: Cast) -> None:
    many = [fan.id for fan in crowd(cast, 102)]
    costs = []
    for request in (body(many[:2]), body(many[2:])):
        with count_queries() as statements:
            assert as_ada.post(BULK, request).json["queued"] == len(request["recipientIds"])
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 35
    published = db.session.scalar(select(func.count(Message.sqs_message_id.distinct())))
    assert published == 102


@pytest.mark.usefixtures("worker")
def test_later_is_scheduled_and_estimated_from_then(as_ada: Caller, cast: Cast) -> None:
    later = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    answer = as_ada.post(BULK, body(cast.fans[:3], scheduledAt=later.isoformat())).json
    assert (answer["status"], answer["queued"]) == ("scheduled", 3)
    assert timedelta(0) < moment(answer["estimatedCompletionTime"]) - later < timedelta(seconds=10)


def test_without_a_worker_there_is_no_estimate(as_ada: Caller, cast: Cast) -> None:
    assert as_ada.post(BULK, body(cast.fans[:1])).json["estimatedCompletionTime"] is None


@pytest.mark.usefixtures("worker")
def test_a_campaign_is_shown_with_its_counts_and_recipients(as_ada: Caller, cast: Cast) -> None:
    made = as_ada.post(BULK, body([*cast.fans[:3], 10**9], priority="normal")).json
    failed = rows()[1]
    failed.status, failed.error = Status.FAILED, "They don't accept messages"
    db.session.commit()
    answer = as_ada.get(f"{CAMPAIGNS}/{made['campaignId']}").json
    assert list(answer) == ["campaign", "recipients", "total", "limit", "offset"]
    assert answer["campaign"]["counts"] == {
        "scheduled": 0,
        "queued": 2,
        "sending": 0,
        "sent": 0,
        "failed": 1,
        "canceled": 0,
        "unknown": 0,
    }
    expected = {"name": "Black Friday", "text": "Hi {{name}}!", "priority": "normal", "status": "sending"}
    expected |= {"totalRecipients": 3, "rejectedRecipients": 1, "userId": cast.ada.id, "accountId": cast.account.id}
    assert {key: answer["campaign"][key] for key in expected} == expected
    assert answer["campaign"]["estimatedCompletionTime"] is not None
    one = as_ada.get(f"{CAMPAIGNS}/{made['campaignId']}?status=failed&limit=1").json
    assert (one["total"], one["limit"]) == (1, 1)
    assert one["recipients"] == [
        {
            "fanId": cast.fans[1].id,
            "name": "Uma Umbrella",
            "handle": "uma_umbrella",
            "messageId": failed.public_id,
            "conversationId": cast.conversations[1].id,
            "status": "failed",
            "error": "They don't accept messages",
            "sentAt": None,
        }
    ]


def test_the_list_is_newest_first_and_takes_few_queries_however_long(as_ada: Caller, cast: Cast) -> None:
    for number in range(5):
        as_ada.post(BULK, body(cast.fans[:2], campaignName=f"number {number}"))
    with count_queries() as statements:
        answer = as_ada.get(f"{CAMPAIGNS}?limit=3&accountId={cast.account.id}").json
    assert len(statements) <= 5
    assert [one["name"] for one in answer["campaigns"]] == ["number 4", "number 3", "number 2"]
    assert (answer["total"], answer["limit"], answer["offset"]) == (5, 3, 0)
    assert answer["campaigns"][0]["counts"]["queued"] == 2


def test_pause_resume_cancel(as_ada: Caller, cast: Cast) -> None:
    made = as_ada.post(BULK, body(cast.fans[:3])).json
    path = f"{CAMPAIGNS}/{made['campaignId']}"
    for verb, status in (("pause", "paused"), ("resume", "queued"), ("pause", "paused"), ("cancel", "canceled")):
        response = as_ada.post(f"{path}/{verb}")
        assert (response.status_code, response.json["campaign"]["status"]) == (200, status)
    assert response.json["campaign"]["counts"]["canceled"] == 3
    for verb in ("pause", "resume", "cancel"):
        assert as_ada.post(f"{path}/{verb}").status_code == 409


def test_a_paused_campaign_has_no_estimate(as_ada: Caller, cast: Cast, worker: None) -> None:
    made = as_ada.post(BULK, body(cast.fans[:3])).json
    paused = as_ada.post(f"{CAMPAIGNS}/{made['campaignId']}/pause").json
    assert paused["campaign"]["estimatedCompletionTime"] is None


def test_many_equal_requests_at_once_launch_one_campaign(
    any_database: str, make_app: MakeApp, as_ada: Caller, cast: Cast
) -> None:
    busy = make_app(API_RATE_LIMITS="off")
    request, headers = body(cast.fans[:3]), as_ada.headers | {"Idempotency-Key": "one"}

    def post(_: int) -> tuple[int, int]:
        response = Caller(busy.test_client()).post(BULK, request, headers=headers)
        return response.status_code, response.json["campaignId"]

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(post, range(40)))
    assert len(answers) == 1
    assert len(rows()) == 3


def test_campaigns_to_the_same_fans_at_once_do_not_wait_for_each_other_for_ever(
    any_database: str, make_app: MakeApp, as_ada: Caller, cast: Cast
) -> None:
    busy = make_app(API_RATE_LIMITS="off")
    fans = [fan.id for fan in crowd(cast, 60)]
    requests = [body(fans if number % 2 else fans[::-1]) for number in range(8)]

    def post(request: dict[str, Any]) -> int:
        response = Caller(busy.test_client()).post(BULK, request, headers=as_ada.headers)
        return int(response.json["queued"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(post, requests)) == [60] * 8
