"""Messages that failed, and what is done to single messages."""

from typing import Literal

from pydantic import ConfigDict, Field

from app.api.schemas.base import Answer, Limit, Moment, Offset, Query, QueryId, Request
from app.api.schemas.messages import State
from app.messages.models import Message


class FailedQuery(Query):
    """Which failed messages."""

    limit: Limit = 50
    offset: Offset = 0
    account_id: QueryId | None = Field(default=None, description="All of your accounts when left out")


class FailedItem(Answer):
    """A message that certainly didn't arrive."""

    id: int
    message_id: str
    user_id: int = Field(description="The account's owner")
    conversation_id: int
    fan_id: int
    text: str
    price_cents: int
    error: str | None
    attempts: int
    created_at: Moment
    failed_at: Moment

    @classmethod
    def of(cls, message: Message, owner_id: int) -> "FailedItem":
        """The answer for a failed message."""
        return cls(
            id=message.id,
            message_id=message.public_id,
            user_id=owner_id,
            conversation_id=message.conversation_id,
            fan_id=message.fan_id,
            text=message.text,
            price_cents=message.price_cents,
            error=message.error,
            attempts=message.attempts,
            created_at=message.created_at,
            failed_at=message.failed_at or message.created_at,
        )


class FailedList(Answer):
    """A page of failed messages, the newest first."""

    messages: list[FailedItem]
    total: int
    limit: int
    offset: int


class Retried(Answer):
    """The new message that stands for the old one."""

    success: bool = True
    message_id: str = Field(validation_alias="public_id")
    status: State
    queued_at: Moment | None


class Canceled(Answer):
    """A message that won't be sent."""

    success: bool = True
    message_id: str = Field(validation_alias="public_id")
    status: State


class Checked(Answer):
    """A message whose chat is being looked through."""

    success: bool = True
    message_id: str = Field(validation_alias="public_id")
    status: State


class Confirmation(Request):
    """Who sends an unknown message again accepts that it may arrive twice."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"confirm": True}]})

    confirm: Literal[True]
