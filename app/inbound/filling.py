"""From pages of the platform's lists to rows: what is missing is written down, nothing is taken away."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.clock import now
from app.conversations import service as conversations
from app.db import transaction
from app.extensions import db
from app.inbound import adapter, events, people
from app.inbound.adapter import Paid, Person, Said, Unreadable
from app.inbound.models import MessageMark
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
    """Have the chat's fan and conversation; whether its last message is missing here."""
    with transaction():
        fan = people.known(account_id, head.fan)
        conversations.open_with(fan)
        return head.last_message is not None and not arrivals.known(account_id, [head.last_message])


def add_messages(account_id: int, head: ChatHead, items: Sequence[Any], before: int) -> tuple[int, bool]:
    """Write down what is missing of a page of a chat, newest first; how many, and whether all of it was missing.

    `before`: how many of the fan's messages stood on the pages before; the newest `head.unread` of them are unread.
    """
    said = [one for item in items if (one := _said(item, head.fan)) is not None]
    with transaction():
        have = arrivals.known(account_id, [one.platform_id for one in said])
        missing, theirs = [], before
        for one in said:
            theirs += not one.by_us
            if one.platform_id in have:
                continue
            found = events.arrival(account_id, one, read=theirs > head.unread)
            # What a call under way has sent is told by its answer, or by its webhook.
            if not (one.by_us and (arrivals.settle_echo(found) or arrivals.call_under_way(found.fan_id))):
                missing.append(found)
        arrivals.add(missing)
        _apply_marks(account_id, [one.platform_id for one in missing])
        arrivals.refresh([one.conversation_id for one in missing])
        return len(missing), not have


def _said(item: Any, fan: Person) -> Said | None:
    try:
        return adapter.listed_message(item, fan)
    except Unreadable:
        return None


def _apply_marks(account_id: int, platform_ids: Sequence[str]) -> None:
    marked = select(MessageMark.platform_message_id).where(
        MessageMark.account_id == account_id, MessageMark.platform_message_id.in_(platform_ids)
    )
    for platform_id in db.session.scalars(marked).all():
        events.apply_marks(account_id, platform_id)


def add_fans(account_id: int, items: Sequence[Any]) -> int:
    """Have the fans of a page, with what the platform says of their subscription; how many they are."""
    count = 0
    with transaction():
        for item in items:
            try:
                person = adapter.person(item, "fan")
            except Unreadable:
                continue
            _add_fan(account_id, person, item)
            count += 1
    return count


def _add_fan(account_id: int, person: Person, item: Mapping[str, Any]) -> None:
    fan = people.known(account_id, person)
    if isinstance(item.get("subscribedOn"), bool):
        people.subscribed(fan, people.ACTIVE if item["subscribedOn"] else people.EXPIRED, now())
    with suppress(Unreadable):
        people.seen(fan, adapter.moment(item.get("lastSeen")))


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
