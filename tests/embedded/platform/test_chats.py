"""Reading chats and messages, as the real SDK and plain requests see them."""

from typing import Any

import pytest
from onlyfansapi import NotFoundError

from tests.embedded.platform.sim import Sim


def _ids(page: dict[str, list[dict[str, int]]]) -> list[int]:
    return [message["id"] for message in page["data"]]


def _walk(sim: Sim, **query: Any) -> list[list[int]]:
    pages, page = [], sim.listed(**query)
    while True:
        pages.append(_ids(page))
        following = page["_pagination"]["next_page"]
        if following is None:
            return pages
        page = sim.http.get(following).raise_for_status().json()


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_pages_follow_each_other_and_one_of_three_is_short(sim: Sim, order: str) -> None:
    sent = [sim.send(text=str(number)).json()["data"]["id"] for number in range(14)]
    pages = _walk(sim, order=order, limit=4)
    assert [len(page) for page in pages] == [4, 4, 3, 3]
    assert [one for page in pages for one in page] == (sent if order == "asc" else sent[::-1])


def test_short_pages_can_be_switched_off(sim: Sim) -> None:
    sim.tell("/settings", {"short_pages": 0})
    for number in range(9):
        sim.send(text=str(number))
    assert [len(page) for page in _walk(sim, limit=3)] == [3, 3, 3]


def test_a_cursor_leaves_out_the_last_seen_downwards_and_holds_it_upwards(sim: Sim) -> None:
    one, two, three = (sim.send(text=text).json()["data"]["id"] for text in "abc")
    assert _ids(sim.listed(first_id=three)) == [two, one]
    assert _ids(sim.listed(order="asc", last_id=two)) == [two, three]


def test_ten_messages_are_a_page_by_default(sim: Sim) -> None:
    for number in range(12):
        sim.send(text=str(number))
    assert len(sim.listed()["data"]) == 10


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"order": "up"}, {"first_id": "x"}])
def test_a_senseless_page_is_refused(sim: Sim, query: dict[str, str]) -> None:
    assert sim.http.get("/api/acct_a/chats/7/messages", params=query).status_code == 422


def test_the_sdk_tells_own_messages_from_the_fans(sim: Sim) -> None:
    sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": "From <me>", "from": "fan"})
    sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": "By phone", "from": "creator"})
    listed = sim.sdk.chats.messages.list("7", account="acct_a", limit="10").data
    assert listed is not None
    assert [(message.text, message.is_sent_by_me) for message in listed] == [
        ("<p>By phone</p>", True),
        ("<p>From &lt;me&gt;</p>", False),
    ]
    fan = listed[1].from_user
    assert fan is not None
    assert fan.id == 7


def test_messages_of_the_past_stand_where_their_time_puts_them(sim: Sim) -> None:
    now = sim.send(text="now").json()["data"]["id"]
    for text, at in (("newer", 1_700_000_060), ("older", 1_700_000_000), ("as old", 1_700_000_000)):
        sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": text, "from": "fan", "at": at})
    assert sim.texts() == [f"<p>{text}</p>" for text in ("now", "newer", "as old", "older")]
    assert sim.send(text="next").json()["data"]["id"] > now
    assert sim.listed(order="asc", limit=1)["data"][0]["createdAt"] == "2023-11-14T22:13:20+00:00"


def _unread(sim: Sim) -> dict[str, int]:
    chats = sim.http.get("/api/acct_a/chats", params={"limit": 100}).json()["data"]
    return {str(chat["fan"]["id"]): chat["unreadMessagesCount"] for chat in chats}


def test_chats_are_read_and_unread(sim: Sim) -> None:
    for chat in ("7", "7", "8"):
        sim.tell("/messages", {"account": "acct_a", "chat": chat, "text": "Hi", "from": "fan"})
    assert _unread(sim) == {"7": 2, "8": 1}
    sim.texts(chat="7")
    assert _unread(sim) == {"7": 0, "8": 1}
    sim.sdk.chats.mark_as_unread("7", account="acct_a")
    sim.sdk.chats.mark_as_read("8", account="acct_a")
    assert _unread(sim) == {"7": 1, "8": 0}
    sim.sdk.chats.mark_all_as_read.all("acct_a")
    assert _unread(sim) == {"7": 0, "8": 0}
    sim.tell("/settings", {"list_marks_read": False})
    sim.sdk.chats.mark_as_unread("7", account="acct_a")
    sim.texts(chat="7")
    assert _unread(sim) == {"7": 1, "8": 0}


def test_the_sdk_lists_chats_newest_first(sim: Sim) -> None:
    sim.tell("/fans", {"account": "acct_a", "id": "7", "name": "Gina", "username": "gina7", "total_spent": 12.5})
    sim.send(chat="7", text="One")
    sim.tell("/messages", {"account": "acct_a", "chat": "8", "text": "Two", "from": "fan"})
    chats = sim.sdk.chats.list("acct_a", skip_users="none").data
    assert chats is not None
    assert [chat.fan and chat.fan.id for chat in chats] == [8, 7]
    second = chats[1]
    assert second.fan is not None
    assert (second.fan.name, second.fan.username) == ("Gina", "gina7")
    assert second.last_message is not None
    assert (second.last_message.text, second.can_send_message) == ("<p>One</p>", True)
    without = sim.http.get("/api/acct_a/chats", params={"order": "old", "filter": "unread"}).json()["data"]
    assert [chat["fan"] for chat in without] == [{"id": 8, "_view": "s"}]
    assert without[0]["lastReadMessageId"] is None


def test_one_message_is_found_until_it_is_deleted(sim: Sim) -> None:
    message_id = str(sim.send(text="Find me").json()["data"]["id"])
    found = sim.sdk.chats.messages.retrieve(message_id, account="acct_a", chat_id="7").data
    assert found is not None
    assert found.text == "<p>Find me</p>"
    assert sim.sdk.chats.messages.search("7", account="acct_a", query="find").data == [int(message_id)]
    with pytest.raises(NotFoundError):
        sim.sdk.chats.messages.retrieve(message_id, account="acct_a", chat_id="8")
    sim.sdk.chats.messages.delete(message_id, account="acct_a", chat_id="7")
    with pytest.raises(NotFoundError):
        sim.sdk.chats.messages.retrieve(message_id, account="acct_a", chat_id="7")


@pytest.mark.parametrize("message_id", ["x", "0", "9" * 5000, "%C2%B2"])
def test_what_is_no_messages_id_is_not_found(sim: Sim, message_id: str) -> None:
    assert sim.http.get(f"/api/acct_a/chats/7/messages/{message_id}").status_code == 404


def test_old_messages_and_the_fans_own_can_not_be_deleted(sim: Sim) -> None:
    for sender, age in (("fan", {}), ("creator", {"at": 1_700_000_000})):
        wish = {"account": "acct_a", "chat": "7", "text": "x", "from": sender, **age}
        message_id = sim.tell("/messages", wish)["id"]
        assert sim.http.delete(f"/api/acct_a/chats/7/messages/{message_id}").status_code == 400


def test_typing_is_counted_and_a_hidden_chat_comes_back_with_a_message(sim: Sim) -> None:
    sim.send()
    typing = sim.sdk.chats.start_typing("7", account="acct_a").data
    assert typing is not None
    assert typing.success is True
    sim.sdk.chats.hide("7", account="acct_a")
    assert _unread(sim) == {}
    sim.send()
    assert _unread(sim) == {"7": 0}
    assert sim.summary()["kinds"]["typing"] == 1
