"""From pages of the platform's lists to rows: what is missing is written down, nothing is taken away."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.clock import now
from app.conversations import service as conversations
from app.db import transaction
from app.inbound import adapter, events, people, talk
from app.inbound.adapter import Paid, Person, Said, Unreadable
from app.messages import arrivals


@dataclass(frozen=True, slots=True)
class ChatHead:
    """A chat as the list of chats shows it."""

    fan: Person
    last_message: str | None
    unread: int


def chat_heads(items: Sequence[Any]) -> list[ChatHead]:
    """The chats of a page; what can't be understood is passed over."""
    return [head for item in items if (head := _chat_head(item)) is not None]


def _chat_head(item: Any) -> ChatHead | None:
    try:
        last = item.get("lastMessage")
        return ChatHead(
            adapter.person(item["fan"], "fan"),
            adapter.message_id(last) if last else None,
            max(0, int(item.get("unreadMessagesCount") or 0)),
        )
    except (Unreadable, AttributeError, KeyError, TypeError, ValueError):
        return None


def open_chat(account_id: int, head: ChatHead) -> bool:
    """Have the chat's fan and conversation, read if it was read there; whether its last message is missing here."""
    with transaction():
        conversation = conversations.open_with(people.known(account_id, head.fan))
        last = head.last_message
        missing = last is not None and not arrivals.known(account_id, [last])
        # Most often on the creator's phone: no webhook tells of it.
        if last is not None and not missing and not head.unread and conversation.unread_count:
            arrivals.was_read(conversation.id, last)
        return missing


def add_messages(account_id: int, head: ChatHead, items: Sequence[Any], before: int) -> tuple[int, bool]:
    """Write down what is missing of a page of a chat, newest first; how many, and whether all of it was missing.

    `before`: how many of the fan's messages stood on the pages before; the newest `head.unread` of them are unread.
    """
    said = [one for item in items if (one := _said(item, head.fan)) is not None]
    with transaction():
        have = arrivals.known(account_id, [one.platform_id for one in said])
        found, theirs = [], before
        for one, arrival in zip(said, talk.arriving(account_id, said), strict=True):
            theirs += not one.by_us
            if one.platform_id not in have:
                found.append(replace(arrival, read=theirs > head.unread))
        # What a call under way has sent is told by its answer, or by its webhook.
        waiting = talk.write_down(account_id, found)
        return len(found) - len(waiting), not have


def _said(item: Any, fan: Person) -> Said | None:
    try:
        return adapter.listed_message(item, fan)
    except Unreadable:
        return None


def add_fans(account_id: int, items: Sequence[Any]) -> int:
    """Have the fans of a page, with what the platform says of their subscription; how many they are."""
    listed = [(person, item) for item in items if (person := _person(item)) is not None]
    with transaction():
        fans = people.known_all(account_id, [person for person, _ in listed])
        seen: dict[int, datetime] = {}
        for person, item in listed:
            fan_id = fans[person.platform_id]
            if isinstance(item.get("subscribedOn"), bool):
                people.subscribed(fan_id, people.ACTIVE if item["subscribedOn"] else people.EXPIRED, now())
            with suppress(Unreadable):
                seen[fan_id] = adapter.moment(item.get("lastSeen"))
        people.seen_all(seen)
    return len(listed)


def _person(item: Any) -> Person | None:
    try:
        return adapter.person(item, "fan")
    except Unreadable:
        return None


def add_payments(account_id: int, items: Sequence[Any]) -> int:
    """Write down the payments of a page, each once; how many they are."""
    paid = [one for item in items if (one := _paid(item)) is not None]
    with transaction():
        events.record_payments(account_id, paid)
    return len(paid)


def _paid(item: Any) -> Paid | None:
    try:
        return adapter.payment(item)
    except Unreadable:
        return None
