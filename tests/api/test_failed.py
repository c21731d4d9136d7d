"""A program looks at what failed, and retries, cancels, or sends again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.extensions import db
from app.messages import service
from app.messages.models import Message, Status
from app.messages.rules import Draft
from tests.api.conftest import Caller, SignIn, moment
from tests.support.cast import Cast

FAILED = "/api/onlyfans/messages/failed"
NOW = datetime.now(UTC).replace(microsecond=0)


def path(message: Message, verb: str, by: str = "id") -> str:
    """What is done to a message, named by its `id` or its `public_id`."""
    return f"/api/onlyfans/messages/{getattr(message, by)}/{verb}"


def message(cast: Cast, status: Status = Status.FAILED, failed_at: datetime | None = NOW, **rest: object) -> Message:
    """A message of Ada's in some state."""
    made = service.send_to_recipient(cast.ada, cast.account.id, "1001", Draft(text="Hello"))
    made.status, made.failed_at = status, failed_at
    for name, value in rest.items():
        setattr(made, name, value)
    db.session.commit()
    return made


def test_the_list_has_the_promised_shape(as_ada: Caller, cast: Cast) -> None:
    failed = message(cast, error="The platform refused it", attempts=4)
    answer = as_ada.get(FAILED).json
    assert (answer["total"], answer["limit"], answer["offset"]) == (1, 50, 0)
    listed = answer["messages"][0]
    assert abs(moment(listed.pop("createdAt")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert listed == {
        "id": failed.id,
        "messageId": failed.public_id,
        "userId": cast.ada.id,
        "conversationId": failed.conversation_id,
        "fanId": failed.fan_id,
        "text": "Hello",
        "priceCents": 0,
        "error": "The platform refused it",
        "attempts": 4,
        "failedAt": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def test_what_failed_a_week_ago_is_not_listed_but_can_be_retried(as_ada: Caller, cast: Cast) -> None:
    old = message(cast, failed_at=NOW - timedelta(days=8))
    assert as_ada.get(FAILED).json["total"] == 0
    assert as_ada.post(path(old, "retry")).status_code == 202


def test_the_list_is_paged_the_newest_first_and_its_accounts_only(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    made = [message(cast, failed_at=NOW - timedelta(minutes=number)).id for number in range(3)]
    answer = as_ada.get(f"{FAILED}?limit=2&offset=1").json
    assert ([one["id"] for one in answer["messages"]], answer["total"]) == (made[1:], 3)
    assert call_as(cast.max).get(FAILED).json["total"] == 3
    assert call_as(cast.eve).get(FAILED).json == {"messages": [], "total": 0, "limit": 50, "offset": 0}
    assert as_ada.get(f"{FAILED}?accountId={cast.eves_account.id}").status_code == 404


@pytest.mark.parametrize("by", ["id", "public_id"])
def test_a_retry_is_a_new_message_linked_to_the_old(as_ada: Caller, cast: Cast, by: str) -> None:
    failed = message(cast)
    response = as_ada.post(path(failed, "retry", by))
    assert response.status_code == 202
    assert list(response.json) == ["success", "messageId", "status", "queuedAt"]
    new = db.session.scalars(select(Message).where(Message.public_id == response.json["messageId"])).one()
    assert (new.retry_of_id, new.text, new.status) == (failed.id, "Hello", Status.QUEUED)
    assert new.sqs_message_id is not None
    assert as_ada.get(FAILED).json["total"] == 0
    assert as_ada.post(path(failed, "retry", by)).status_code == 409


def test_only_what_failed_can_be_retried(as_ada: Caller, cast: Cast) -> None:
    for status in set(Status) - {Status.FAILED, Status.RECEIVED}:
        assert as_ada.post(path(message(cast, status), "retry")).status_code == 409, status


def test_what_waits_can_be_canceled(as_ada: Caller, cast: Cast) -> None:
    waiting = message(cast, Status.QUEUED)
    response = as_ada.post(path(waiting, "cancel"))
    assert response.status_code == 200
    assert response.json == {"success": True, "messageId": waiting.public_id, "status": "canceled"}
    assert as_ada.post(path(waiting, "cancel")).status_code == 409
    assert as_ada.post(path(message(cast, Status.SENDING), "cancel")).status_code == 409


def test_an_unknown_message_is_sent_again_only_by_who_knows_what_that_means(as_ada: Caller, cast: Cast) -> None:
    unknown = message(cast, Status.UNKNOWN)
    for body in ({}, {"confirm": False}, {"confirm": "true"}):
        assert as_ada.post(path(unknown, "send-again"), body).status_code == 400
    response = as_ada.post(path(unknown, "send-again"), {"confirm": True})
    assert (response.status_code, response.json["status"]) == (202, "queued")
    assert as_ada.post(path(unknown, "send-again"), {"confirm": True}).status_code == 409


def test_a_message_that_is_not_there_or_not_yours_is_not_found(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    failed = message(cast)
    eve = call_as(cast.eve)
    never = eve.post("/api/onlyfans/messages/999999/retry")
    for by in ("id", "public_id"):
        theirs = eve.post(path(failed, "retry", by))
        assert (theirs.status_code, theirs.data) == (404, never.data)
    for reference in ("0", "9" * 18, "9" * 30, "msg_nothing", "x" * 65, "%00", "a.b"):
        assert as_ada.post(f"/api/onlyfans/messages/{reference}/retry").status_code == 404
