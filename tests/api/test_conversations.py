"""A program reads the inbox and a thread, and writes into it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.conversations import service as conversations
from app.extensions import db
from app.messages.models import Message, Priority, Status
from tests.api.conftest import Caller, SignIn
from tests.support.cast import Cast
from tests.support.queries import count_queries

INBOX = "/api/crm/conversations"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def messages_path(conversation_id: int) -> str:
    """The messages of a conversation."""
    return f"{INBOX}/{conversation_id}/messages"


def fill(cast: Cast, count: int) -> None:
    """`count` messages in Ada's first conversation, two at each minute, every third one written by the fan."""
    conversation = cast.conversations[0]
    for number in range(count):
        incoming = number % 3 == 0
        db.session.add(
            Message(
                public_id=f"msg_{number:032x}",
                account_id=cast.account.id,
                conversation_id=conversation.id,
                fan_id=conversation.fan_id,
                direction="in" if incoming else "out",
                status=Status.RECEIVED if incoming else Status.SENT,
                text=f"message {number}",
                created_at=START + timedelta(minutes=number // 2),
            )
        )
    db.session.commit()


def speak(cast: Cast, *minutes: int) -> None:
    """Let Ada's conversations have spoken last at these minutes."""
    for conversation, minute in zip(cast.conversations, minutes, strict=False):
        conversations.touch(conversation.id, f"at {minute}", START + timedelta(minutes=minute))


def test_the_inbox_has_the_promised_shape_the_newest_first(as_ada: Caller, cast: Cast) -> None:
    speak(cast, 1, 3, 2)
    answer = as_ada.get(INBOX).json
    assert {name: answer[name] for name in ("total", "limit", "offset")} == {"total": 4, "limit": 50, "offset": 0}
    assert [one["lastMessage"] for one in answer["conversations"]] == ["at 3", "at 2", "at 1", ""]
    second = cast.conversations[1]
    assert answer["conversations"][0] == {
        "id": second.id,
        "userId": cast.ada.id,
        "accountId": cast.account.id,
        "fanId": second.fan_id,
        "platform": "onlyfans",
        "lastMessageAt": "2026-11-01T12:03:00Z",
        "lastMessage": "at 3",
        "unreadCount": 0,
        "fan": {"id": second.fan_id, "name": "Uma Umbrella", "handle": "uma_umbrella", "avatar": None},
    }


def test_the_inbox_is_paged_searched_and_filtered(as_ada: Caller, cast: Cast) -> None:
    speak(cast, 1, 3, 2)
    cast.conversations[2].unread_count = 2
    db.session.commit()

    def names(query: str) -> tuple[list[str], int]:
        answer = as_ada.get(f"{INBOX}?{query}").json
        return [one["fan"]["name"] for one in answer["conversations"]], answer["total"]

    assert names("limit=2&offset=1") == (["Vic Vapour", "Tom Tester"], 4)
    assert names("offset=4") == ([], 4)
    assert names("filter=unread") == (["Vic Vapour"], 1)
    assert names("q=UMA") == (["Uma Umbrella"], 1)
    assert names("q=@tom_") == (["Tom Tester"], 1)
    assert names("q=%25") == ([], 0)
    assert as_ada.get(f"{INBOX}?limit=1000000000").json["limit"] == 200


def test_somebody_elses_account_has_no_inbox(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    theirs = as_ada.get(f"{INBOX}?accountId={cast.eves_account.id}")
    never = as_ada.get(f"{INBOX}?accountId={10**9}")
    assert (theirs.status_code, theirs.data) == (404, never.data)
    max_ = call_as(cast.max)
    assert max_.get(INBOX).json["total"] == 4
    assert max_.get(f"{INBOX}?accountId={cast.beas_account.id}").json["total"] == 0


def test_a_thread_has_the_promised_shape_the_newest_first(as_ada: Caller, cast: Cast) -> None:
    fill(cast, 3)
    conversation = cast.conversations[0]
    answer = as_ada.get(messages_path(conversation.id)).json
    assert list(answer) == ["messages", "total", "limit", "offset", "nextCursor"]
    assert (answer["total"], answer["limit"], answer["offset"], answer["nextCursor"]) == (3, 100, 0, None)
    newest = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert newest is not None
    assert answer["messages"][0] == {
        "id": newest.id,
        "messageId": newest.public_id,
        "conversationId": conversation.id,
        "fanId": conversation.fan_id,
        "direction": "out",
        "status": "sent",
        "text": "message 2",
        "priceCents": 0,
        "attachments": [],
        "read": True,
        "error": None,
        "createdAt": "2026-11-01T12:01:00Z",
        "sentAt": None,
    }
    assert [one["direction"] for one in answer["messages"]] == ["out", "out", "in"]


def test_cursors_lead_through_a_thread_while_it_grows(as_ada: Caller, cast: Cast) -> None:
    fill(cast, 7)
    path = messages_path(cast.conversations[0].id)
    seen: list[str] = []
    query = "limit=3"
    for _ in range(3):
        answer = as_ada.get(f"{path}?{query}").json
        seen += [one["text"] for one in answer["messages"]]
        as_ada.post(path, {"text": "one more"})
        query = f"limit=3&before={answer['nextCursor']}"
    assert seen == [f"message {number}" for number in reversed(range(7))]
    assert answer["nextCursor"] is None


def test_a_cursor_that_was_not_given_out_for_this_list_is_refused(as_ada: Caller, cast: Cast) -> None:
    fill(cast, 7)
    path = messages_path(cast.conversations[0].id)
    cursor = as_ada.get(f"{path}?limit=3").json["nextCursor"]
    other = messages_path(cast.conversations[1].id)
    for bad in ("x", cursor[:-1], cursor + "x", "a" + cursor, cursor.swapcase(), "%00"):
        response = as_ada.get(f"{path}?before={bad}")
        assert response.status_code == 400, bad
        assert response.json["details"][0]["field"] == "before"
    assert as_ada.get(f"{other}?before={cursor}").status_code == 400


@pytest.mark.usefixtures("cast")
def test_lists_take_the_same_few_queries_however_long(as_ada: Caller, cast: Cast) -> None:
    fill(cast, 60)
    speak(cast, 1, 2, 3, 4)
    thread = messages_path(cast.conversations[0].id)
    for path, most in ((INBOX, 3), (f"{INBOX}?accountId={cast.account.id}&q=o", 2), (thread, 3)):
        with count_queries() as statements:
            assert as_ada.get(path).status_code == 200
        assert len(statements) == most, path


def test_writing_into_a_conversation_answers_as_sending_does(as_ada: Caller, cast: Cast) -> None:
    body: dict[str, Any] = {
        "text": "For you",
        "priceCents": 500,
        "attachments": [{"type": "video", "url": "https://cdn.example.com/a"}],
        "priority": "low",
    }
    response = as_ada.post(messages_path(cast.conversations[0].id), body)
    assert response.status_code == 202
    assert list(response.json) == ["success", "messageId", "status", "queuedAt", "estimatedDelivery", "sqsMessageId"]
    message = db.session.scalars(select(Message)).one()
    assert (message.text, message.price_cents, message.priority) == ("For you", 500, Priority.LOW)
    assert message.attachments == body["attachments"]
    assert as_ada.get(INBOX).json["conversations"][0]["lastMessage"] == "For you"


def test_all_faults_of_a_new_message_are_told_at_once(as_ada: Caller, cast: Cast) -> None:
    body = {"priceCents": 500, "attachments": [{"type": "gif", "url": "http://x"}, 5], "scheduledAt": "now", "no": 1}
    response = as_ada.post(messages_path(cast.conversations[0].id), body)
    assert response.status_code == 400
    fields = {one["field"] for one in response.json["details"]}
    assert fields == {"text", "attachments[0].type", "attachments[0].url", "attachments[1]", "scheduledAt", "no"}
    response = as_ada.post(messages_path(cast.conversations[0].id), {"priceCents": 500})
    assert [one["message"] for one in response.json["details"]] == ["Text is required", "A price needs media"]


def test_a_fan_without_platform_id_cannot_be_written_to(as_ada: Caller, cast: Cast) -> None:
    response = as_ada.post(messages_path(cast.conversations[-1].id), {"text": "Hello"})
    assert response.status_code == 409


def test_the_same_key_writes_once_and_is_its_conversations_own(as_ada: Caller, cast: Cast) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = (messages_path(conversation.id) for conversation in cast.conversations[:2])
    one, again = (as_ada.post(first, {"text": "Hello"}, headers=headers) for _ in range(2))
    assert (one.status_code, one.json["messageId"]) == (again.status_code, again.json["messageId"])
    assert as_ada.post(second, {"text": "Hello"}, headers=headers).status_code == 422


def test_a_reader_that_polls_is_told_nothing_new_without_a_body(as_ada: Caller, cast: Cast) -> None:
    speak(cast, 1)
    etag = as_ada.get(INBOX).headers["ETag"]
    again = as_ada.get(INBOX, headers={"If-None-Match": etag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
    speak(cast, 2)
    assert as_ada.get(INBOX, headers={"If-None-Match": etag}).status_code == 200
