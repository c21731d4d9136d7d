"""Sending a message: what is taken, what is refused, and what the answer looks like."""

import pytest
from onlyfansapi import BadRequestError, UnprocessableEntityError

from tests.embedded.platform.sim import Json, Sim


def test_the_sdk_sends_and_reads_the_answer(sim: Sim) -> None:
    sent = sim.sdk.chats.messages.send("123456789", account="acct_a", text="Hi <you>\n& me", idempotency_key="k1")
    assert sent.data is not None
    assert sent.data.id is not None
    assert len(str(sent.data.id)) >= 13
    assert sent.data.text == "<p>Hi &lt;you&gt;<br>&amp; me</p>"
    assert sent.data.from_user is not None
    assert sent.data.from_user.id != 123456789
    assert sent.data.created_at is not None
    assert sent.data.created_at.endswith("+00:00")
    assert (sent.data.is_free, sent.data.price, sent.data.media_count) == (True, 0, 0)
    assert sent.api_meta is not None
    assert sent.api_meta.api_credits is not None
    assert sent.api_meta.api_credits.used == 1


def test_message_ids_rise(sim: Sim) -> None:
    ids = [sim.send(chat=str(number % 3)).json()["data"]["id"] for number in range(9)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("chat", ["7", "user_123", "a-b", "x" * 64])
def test_any_fan_can_be_written_to(sim: Sim, chat: str) -> None:
    assert sim.send(chat=chat).status_code == 200
    assert sim.texts(chat=chat) == ["<p>Hello</p>"]


@pytest.mark.parametrize("chat", ["a.b", "x" * 65, "a%20b"])
def test_what_is_no_fans_id_is_not_found(sim: Sim, chat: str) -> None:
    assert sim.send(chat=chat).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": 5}, "text"),
        ({"text": ["a"]}, "text"),
        ({"text": "a", "price": "5"}, "price"),
        ({"text": "a", "price": True}, "price"),
        ({"text": "a", "price": 2.99}, "price"),
        ({"text": "a", "price": -1}, "price"),
        ({"text": "a", "price": 200.01}, "price"),
        ({"text": "a", "price": 5}, "mediaFiles"),
        ({"text": "a", "price": 5, "mediaFiles": []}, "mediaFiles"),
        ({"text": "a", "mediaFiles": "x"}, "mediaFiles"),
        ({"text": "a", "mediaFiles": ["https://cdn.example.com/a.jpg"]}, "mediaFiles"),
        ({"text": "a", "mediaFiles": [4]}, "mediaFiles"),
        ({"text": "a", "mediaFiles": [True]}, "mediaFiles"),
        ({"text": "a", "mediaFiles": ["ofapi_media_1"]}, "mediaFiles"),
        ({"text": "a", "previews": [0]}, "previews"),
        ({"text": "a", "lockedText": "yes"}, "lockedText"),
    ],
)
def test_a_senseless_field_is_refused_by_name(sim: Sim, body: Json, field: str) -> None:
    answer = sim.send(**body)
    assert answer.status_code == 422
    assert answer.json()["error"] == "VALIDATION_ERROR"
    assert list(answer.json()["errors"]) == [field]
    assert sim.last()["outcome"] == "refused"
    assert sim.texts() == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'"a"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_has_no_text(sim: Sim, raw: bytes) -> None:
    answer = sim.http.post("/api/acct_a/chats/7/messages", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["text"]


def test_vault_media_can_be_used_again_and_be_sold(sim: Sim) -> None:
    uploaded = sim.sdk.media.vault.upload("acct_a", file_url="https://cdn.example.com/a.jpg")
    assert uploaded.data is not None
    assert uploaded.data.id is not None
    for price in (3, 9.99, 200):
        data = sim.send(text="a", price=price, mediaFiles=[uploaded.data.id], previews=[0], lockedText=True).json()[
            "data"
        ]
        assert (data["price"], data["isFree"], data["mediaCount"]) == (price, False, 1)
        assert data["media"][0]["id"] == uploaded.data.id
    assert sim.send(account="acct_b", text="a", mediaFiles=[uploaded.data.id]).status_code == 422


def test_media_alone_are_a_message(sim: Sim) -> None:
    uploaded = sim.sdk.media.vault.upload("acct_a", file_url="https://cdn.example.com/a.jpg")
    assert uploaded.data is not None
    assert sim.send(mediaFiles=[uploaded.data.id]).json()["data"]["text"] == ""


def test_a_single_use_upload_is_used_once(sim: Sim) -> None:
    uploaded = sim.sdk.media.upload("acct_a", file=b"a picture")
    assert uploaded.prefixed_id is not None
    sim.sdk.chats.messages.send("7", account="acct_a", media_files=[uploaded.prefixed_id])
    with pytest.raises(UnprocessableEntityError):
        sim.sdk.chats.messages.send("7", account="acct_a", media_files=[uploaded.prefixed_id])


def test_a_fan_who_left_can_not_be_reached(sim: Sim) -> None:
    sim.tell("/fans", {"account": "acct_a", "id": "7", "can_send": False})
    with pytest.raises(BadRequestError, match="Cannot send message to this user") as refused:
        sim.sdk.chats.messages.send("7", account="acct_a", text="Hello")
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["error"] == "ONLYFANS_COM_ERROR"
    assert refused.value.body["onlyfans_response"]["status"] == 400


def test_an_account_that_is_signed_out_sends_nothing(sim: Sim) -> None:
    sim.tell("/accounts", {"id": "acct_a", "is_authenticated": False})
    answer = sim.send()
    assert (answer.status_code, answer.json()["error"]) == (401, "SESSION_EXPIRED:NEEDS_REAUTHENTICATION")


def test_the_brake_refuses_two_messages_close_together(sim: Sim) -> None:
    sim.tell("/settings", {"min_gap": 3})
    assert [sim.send(account=account).status_code for account in ("acct_a", "acct_a", "acct_b")] == [200, 400, 200]
    assert sim.summary()["too_close"] == 1
    assert "Allow 3 seconds" in sim.send().json()["message"]
