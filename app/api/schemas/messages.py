"""Sending messages, and how their queue stands."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.schemas.base import Answer, Moment
from app.api.schemas.letters import Letter, price_asks_for
from app.messages.models import Message
from app.messages.rules import RecipientId

State = Literal["scheduled", "queued", "sending", "sent", "failed", "canceled", "unknown"]
SEND_EXAMPLE: JsonDict = {
    "recipientId": "user_123",
    "content": "Hello!",
    "mediaUrls": ["https://cdn.example.com/image.jpg"],
    "priority": "high",
}


class SendRequest(Letter):
    """One message to one fan; a recipient whom nobody knows becomes a new fan of the account."""

    model_config = ConfigDict(json_schema_extra={"examples": [SEND_EXAMPLE], **price_asks_for("mediaUrls")})

    recipient_id: RecipientId = Field(description="The fan's id at the platform: 1 to 64 letters, digits, _ or -")


class Accepted(Answer):
    """A message that is kept and will be delivered."""

    success: bool = True
    message_id: str = Field(examples=["msg_0123456789abcdef0123456789abcdef"])
    status: State
    queued_at: Moment | None = Field(description="Null while it is scheduled")
    estimated_delivery: Moment | None = Field(description="Null while nothing moves, and once it was delivered")
    sqs_message_id: str | None = Field(description="Null while the queue hasn't got its ticket")

    @classmethod
    def of(cls, message: Message, estimated_delivery: datetime | None, sqs_message_id: str | None) -> "Accepted":
        """The answer for `message` as it stands."""
        return cls(
            message_id=message.public_id,
            status=message.status,  # type: ignore[arg-type]
            queued_at=message.queued_at,
            estimated_delivery=estimated_delivery,
            sqs_message_id=sqs_message_id,
        )


class Deployment(Answer):
    """Whether this deployment can send."""

    success: bool = True
    configured: bool = Field(description="Platform key, queue and Redis are set")
    enabled: bool = Field(description="The stop is off")
    active: bool = Field(description="Configured and enabled, and a worker is alive")


class Configuration(Answer):
    """What this deployment is set up with."""

    configured: bool
    enabled: bool
    active: bool
    queue_url: str | None
    region: str


class Queue(Answer):
    """Your accounts' messages."""

    healthy: bool = Field(description="The queue can be reached")
    messages_queued: int
    messages_processing: int
    messages_failed: int = Field(description="Retried ones included")
    average_latency: int | None = Field(description="Milliseconds from queued to sent in the last hour")
    dead_letter_count: int = Field(description="Failed and not retried")
    last_processed_at: Moment | None


class RateLimit(Answer):
    """The platform's limit of one account."""

    limit: int
    window_seconds: int | float
    remaining: int | None = Field(description="Null without Redis, or when you have several accounts and named none")
    reset_at: Moment | None = Field(description="When the next slot comes back; null when all are free")


class QueueStatus(Answer):
    """How sending stands."""

    success: bool = True
    timestamp: Moment
    configuration: Configuration
    queue: Queue
    rate_limit: RateLimit
