"""Conversations and their messages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from app.api.schemas.base import Answer, Limit, Moment, Offset, Query, QueryId, Request, Text
from app.api.schemas.letters import Attachments, Content, Later, Price, Urgency, price_asks_for
from app.conversations.lists import Filter
from app.messages.lists import SHOWN
from app.messages.rules import PRIORITIES, Draft

MESSAGE_EXAMPLE: JsonDict = {
    "text": "A little something for you",
    "priceCents": 1500,
    "attachments": [{"type": "image", "url": "https://cdn.example.com/image.jpg"}],
}
NONE = "[]"
"""An empty list as the database keeps it."""

MESSAGE_KEYS = tuple("messageId" if name == "public_id" else to_camel(name) for name in SHOWN)


class InboxQuery(Query):
    """Which conversations."""

    limit: Limit = 50
    offset: Offset = 0
    filter: Literal["all", "unread"] = Field(default="all", description="`unread`: only those that wait to be read")
    q: Text = Field(default="", max_length=100, description="Part of a fan's name or handle")
    account_id: QueryId | None = Field(default=None, description="All of your accounts when left out")

    def wanted(self) -> Filter:
        """Which ones, as the room takes it."""
        return Filter(self.account_id, self.filter == "unread", self.q.strip())


class ThreadQuery(Query):
    """Which messages."""

    limit: Limit = 100
    offset: Offset = 0
    before: Text | None = Field(default=None, max_length=200, description="`nextCursor` of the page before")


class Person(Answer):
    """The fan of a conversation."""

    id: int
    name: str
    handle: str | None
    avatar: str | None


class ConversationItem(Answer):
    """One conversation of the inbox."""

    id: int
    user_id: int = Field(description="The account's owner")
    account_id: int
    fan_id: int
    platform: Literal["onlyfans"] = "onlyfans"
    last_message_at: Moment | None
    last_message: str = Field(description="The beginning of the newest text")
    unread_count: int
    fan: Person

    @staticmethod
    def plain(row: Sequence[Any]) -> dict[str, Any]:
        """The item for a row of `conversations.lists`, written by hand: a model of each takes four times as long."""
        conversation_id, account_id, owner_id, fan_id, at, text, unread, name, handle, avatar, _ = row
        return {
            "id": conversation_id,
            "userId": owner_id,
            "accountId": account_id,
            "fanId": fan_id,
            "platform": "onlyfans",
            "lastMessageAt": at,
            "lastMessage": text,
            "unreadCount": unread,
            "fan": {"id": fan_id, "name": name, "handle": handle, "avatar": avatar},
        }


class Inbox(Answer):
    """A page of conversations, newest first."""

    conversations: list[ConversationItem]
    total: int
    limit: int
    offset: int


class Medium(Answer):
    """One medium of a message."""

    type: str
    url: str | None = None


def _medium(kept: Mapping[str, str]) -> dict[str, str | None]:
    return {"type": kept["type"], "url": kept.get("url")}


class MessageItem(Answer):
    """One message of a conversation."""

    id: int
    message_id: str
    conversation_id: int
    fan_id: int
    direction: Literal["in", "out"]
    status: Literal["received", "scheduled", "queued", "sending", "sent", "failed", "canceled", "unknown"]
    text: str
    price_cents: int
    attachments: list[Medium]
    read: bool
    error: str | None
    created_at: Moment
    sent_at: Moment | None

    @staticmethod
    def plain(row: Sequence[Any]) -> dict[str, Any]:
        """The item for a row of `messages.lists`, written by hand as that of a conversation is."""
        shown = dict(zip(MESSAGE_KEYS, row))  # noqa: B905 - what follows is for us
        attached = shown["attachments"]
        shown["attachments"] = [] if attached == NONE else [_medium(one) for one in json.loads(attached)]
        return shown


class Thread(Answer):
    """A page of messages, newest first."""

    messages: list[MessageItem]
    total: int
    limit: int
    offset: int
    next_cursor: str | None = Field(description="`before` of the next page; null on the last one")


class NewMessage(Request):
    """A message into a conversation."""

    model_config = ConfigDict(json_schema_extra={"examples": [MESSAGE_EXAMPLE], **price_asks_for("attachments")})

    text: Content
    attachments: Attachments = Field(default_factory=list)
    price_cents: Price = 0
    priority: Urgency = "high"
    scheduled_at: Later = None

    def draft(self) -> Draft:
        """The message as the rooms take it."""
        return Draft(
            text=self.text,
            priority=PRIORITIES[self.priority],
            price_cents=self.price_cents,
            attachments=tuple({"type": one.type, "url": one.url} for one in self.attachments),
            scheduled_at=self.scheduled_at,
        )
