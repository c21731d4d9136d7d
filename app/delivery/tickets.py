"""The SQS message, a public contract: what we write, and what we accept from other systems."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from app import clock
from app.clock import iso
from app.gateways import sqs
from app.messages.handover import Parcel
from app.messages.models import Priority
from app.messages.rules import MEDIA_MOST, PRIORITIES, Draft, MediaUrl, MessageText, RecipientId

PRIORITY_NAMES = {priority: name for name, priority in PRIORITIES.items()}
MESSAGE_TYPE = "onlyfans_message"


class BadTicket(Exception):
    """A ticket that can't be understood; the text is the reason for the dead letters."""


class Metadata(BaseModel):
    """Where the message belongs; only for other systems' eyes."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")

    conversation_id: int | None = None
    campaign_id: int | None = None


class Ticket(BaseModel):
    """One SQS message's body."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)

    message_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    user_id: Annotated[int, Field(ge=1, lt=2**63)]
    account_id: Annotated[int, Field(ge=1, lt=2**63)]
    recipient_id: RecipientId
    content: MessageText
    media_urls: Annotated[list[MediaUrl], Field(max_length=MEDIA_MOST)] = []
    priority: str = "high"
    metadata: Metadata | None = None
    timestamp: str

    def draft(self) -> Draft:
        """The message to be accepted."""
        return Draft(
            text=self.content,
            priority=PRIORITIES.get(self.priority, Priority.HIGH),
            attachments=tuple({"type": "media", "url": url} for url in self.media_urls),
        )


def read(body: str) -> Ticket:
    """The ticket in an SQS body; raises BadTicket with every fault."""
    try:
        ticket = Ticket.model_validate_json(body)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}" for fault in error.errors()]
        raise BadTicket("; ".join(faults)[:1000]) from None
    if ticket.priority not in PRIORITIES:
        raise BadTicket("priority: must be high, normal or low")
    return ticket


def write(parcel: Parcel, reason: str | None = None) -> sqs.Ticket:
    """The ticket of a message; with a `reason` for the dead letters."""
    priority = PRIORITY_NAMES[Priority(parcel.priority)]
    timestamp = iso(parcel.queued_at) or ""
    metadata = {"conversationId": parcel.conversation_id} | (
        {"campaignId": parcel.campaign_id} if parcel.campaign_id else {}
    )
    body: dict[str, Any] = {
        "messageId": parcel.public_id,
        "userId": parcel.author_id,
        "accountId": parcel.account_id,
        "recipientId": parcel.recipient,
        "content": parcel.text,
        "mediaUrls": [attachment["url"] for attachment in parcel.attachments],
        "priority": priority,
        "metadata": metadata,
        "timestamp": timestamp,
    }
    attributes = {
        "userId": str(parcel.author_id),
        "messageType": MESSAGE_TYPE,
        "priority": priority,
        "timestamp": timestamp,
    }
    if reason is not None:
        body["reason"] = attributes["reason"] = reason[:1000]
    return sqs.Ticket(str(parcel.message_id), sqs.dump(body), attributes, f"account-{parcel.account_id}")


def dead(body: str, reason: str) -> sqs.Ticket:
    """A ticket that couldn't be understood, as it came, with the reason beside it."""
    wrapped = sqs.dump({"body": body[:200_000], "reason": reason})
    now = iso(clock.now()) or ""
    return sqs.Ticket(
        "0", wrapped, {"messageType": "unreadable", "reason": reason[:1000], "timestamp": now}, "unreadable"
    )


def again(body: str) -> sqs.Ticket:
    """A dead ticket on its way back to the queue, as it first was."""
    now = iso(clock.now()) or ""
    attributes = {"messageType": MESSAGE_TYPE, "timestamp": now}
    try:
        ticket = read(body)
    except BadTicket:
        return sqs.Ticket("0", body, attributes, "unreadable")
    attributes |= {"userId": str(ticket.user_id), "priority": ticket.priority, "timestamp": ticket.timestamp or now}
    return sqs.Ticket("0", body, attributes, f"account-{ticket.account_id}")
