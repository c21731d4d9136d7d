"""The SQS message, a public contract: what is written can be read, and what can't is told apart by name."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery import tickets
from app.delivery.tickets import BadTicket
from app.messages.handover import Parcel
from app.messages.models import Priority

BEACH, SUNSET = (f"https://cdn.example.com/{name}.jpg" for name in ("beach", "sunset"))
PARCEL = Parcel(
    message_id=17,
    public_id="m" * 32,
    author_id=1,
    account_id=2,
    conversation_id=3,
    campaign_id=None,
    recipient="user_123",
    text="Grüße 🌞\n<b>&</b>",
    attachments=[{"type": "image", "url": BEACH}, {"type": "video", "url": SUNSET}],
    priority=Priority.NORMAL,
    queued_at=datetime(2026, 11, 1, 12, 0, 0, 999, tzinfo=UTC),
    error=None,
)
BODY: dict[str, Any] = {
    "messageId": "other-system-1",
    "userId": 1,
    "accountId": 2,
    "recipientId": "user_123",
    "content": "Hello",
    "timestamp": "2026-11-01T12:00:00Z",
}


def _read(**changes: object) -> tickets.Ticket:
    return tickets.read(json.dumps(BODY | changes))


def test_a_ticket_says_what_the_contract_says() -> None:
    ticket = tickets.write(PARCEL)
    assert json.loads(ticket.body) == {
        "messageId": "m" * 32,
        "userId": 1,
        "accountId": 2,
        "recipientId": "user_123",
        "content": "Grüße 🌞\n<b>&</b>",
        "mediaUrls": [BEACH, SUNSET],
        "priority": "normal",
        "metadata": {"conversationId": 3},
        "timestamp": "2026-11-01T12:00:00Z",
    }
    assert ticket.attributes == {
        "userId": "1",
        "messageType": "onlyfans_message",
        "priority": "normal",
        "timestamp": "2026-11-01T12:00:00Z",
    }
    assert (ticket.id, ticket.group) == ("17", "account-2")


@pytest.mark.parametrize("priority", Priority)
def test_what_is_written_can_be_read(priority: Priority) -> None:
    read = tickets.read(tickets.write(replace(PARCEL, priority=priority, campaign_id=9)).body)
    assert (read.message_id, read.user_id, read.account_id, read.recipient_id) == ("m" * 32, 1, 2, "user_123")
    assert read.metadata == tickets.Metadata.model_validate({"conversationId": 3, "campaignId": 9})
    draft = read.draft()
    assert (draft.text, draft.priority, draft.price_cents, draft.scheduled_at) == (PARCEL.text, priority, 0, None)
    assert [attachment["url"] for attachment in draft.attachments] == [BEACH, SUNSET]


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@given(text=PRINTABLE)
def test_any_text_survives_the_way(text: str) -> None:
    assert tickets.read(tickets.write(replace(PARCEL, text=text)).body).content == text


def test_a_dead_letter_carries_its_reason_and_can_still_be_read() -> None:
    ticket = tickets.write(PARCEL, reason="r" * 1500)
    assert json.loads(ticket.body)["reason"] == ticket.attributes["reason"] == "r" * 1000
    assert tickets.read(ticket.body).message_id == "m" * 32


def test_the_least_that_another_system_must_say() -> None:
    draft = _read().draft()
    assert (draft.text, draft.priority, draft.attachments) == ("Hello", Priority.HIGH, ())


def test_unknown_fields_are_tolerated() -> None:
    ticket = _read(color="red", metadata={"conversationId": 3, "mood": "good"})
    assert ticket.metadata == tickets.Metadata.model_validate({"conversationId": 3})
    assert _read(metadata=None).metadata is None


@pytest.mark.parametrize("field", list(BODY))
def test_what_is_missing_is_named(field: str) -> None:
    body = {name: value for name, value in BODY.items() if name != field}
    with pytest.raises(BadTicket, match=f"^{field}: Field required$"):
        tickets.read(json.dumps(body))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messageId", ""),
        ("messageId", "a b"),
        ("messageId", "x" * 65),
        ("messageId", "abc\n"),
        ("messageId", 7),
        ("userId", "1"),
        ("userId", 0),
        ("userId", -1),
        ("userId", 2**63),
        ("userId", True),
        ("userId", 1.5),
        ("accountId", "2"),
        ("accountId", None),
        ("recipientId", ""),
        ("recipientId", "../7"),
        ("recipientId", 7),
        ("content", ""),
        ("content", " \n"),
        ("content", "x" * 5001),
        ("content", "a\x00b"),
        ("content", None),
        ("mediaUrls", "https://cdn.example.com/a.jpg"),
        ("mediaUrls", [BEACH] * 11),
        ("mediaUrls", ["http://cdn.example.com/a.jpg"]),
        ("mediaUrls", ["https://localhost/a.jpg"]),
        ("mediaUrls", ["https://10.0.0.1/a.jpg"]),
        ("mediaUrls", [7]),
        ("priority", "urgent"),
        ("priority", 1),
        ("metadata", "x"),
        ("metadata", {"conversationId": "x"}),
        ("timestamp", 5),
        ("timestamp", None),
    ],
)
def test_what_is_wrong_is_named(field: str, value: object) -> None:
    with pytest.raises(BadTicket, match=f"^{field}"):
        _read(**{field: value})


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(BadTicket) as bad:
        _read(userId="x", content="", mediaUrls=["ftp://x", BEACH, "https://nas.local/a"])
    faults = str(bad.value).split("; ")
    assert [fault.split(":")[0] for fault in faults] == ["userId", "content", "mediaUrls.0", "mediaUrls.2"]


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "null", "7", "not json", "{'messageId': 1}", "[" * 5000])
def test_what_is_no_object_is_refused(body: str) -> None:
    with pytest.raises(BadTicket, match=r"^body: "):
        tickets.read(body)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(body: str) -> None:
    with pytest.raises(BadTicket) as bad:
        tickets.read(body)
    assert 0 < len(str(bad.value)) <= 1000


def test_an_unreadable_ticket_is_kept_as_it_came() -> None:
    ticket = tickets.dead("{nonsense" * 40_000, "body: no JSON")
    assert json.loads(ticket.body) == {"body": ("{nonsense" * 40_000)[:200_000], "reason": "body: no JSON"}
    assert ticket.attributes["messageType"] == "unreadable"
    assert ticket.attributes["reason"] == "body: no JSON"
    assert ticket.attributes["timestamp"]
