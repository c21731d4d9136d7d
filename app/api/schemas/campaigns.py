"""Campaigns: one text for many fans, and how far it got."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from app.api.contract import settings
from app.api.schemas.base import Answer, Limit, Moment, ObjectId, Offset, Query, QueryId
from app.api.schemas.conversations import Medium
from app.api.schemas.fans import Line
from app.api.schemas.letters import Content, Letter, Urgency, price_asks_for
from app.api.schemas.messages import State
from app.campaigns.models import NAME_LENGTH
from app.campaigns.queries import Result, Standing
from app.campaigns.rules import check_template
from app.messages.rules import PRIORITIES, refuse

PRIORITY_NAMES = {priority: name for name, priority in PRIORITIES.items()}
Stage = Literal["planning", "scheduled", "queued", "sending", "paused", "late", "canceled", "completed"]
BULK_EXAMPLE: JsonDict = {
    "recipientIds": [1, 2, 3],
    "content": "Hi {{name|friend}}!",
    "mediaUrls": ["https://cdn.example.com/image.jpg"],
    "campaignName": "Black Friday",
}


class AtMostAsConfigured:
    """As many as BULK_MAX_RECIPIENTS says, in the check and in the document."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The list's schema with this deployment's limit."""
        return handler(schema) | {"maxItems": settings().bulk_max_recipients}


def _few(ids: list[int]) -> list[int]:
    most = settings().bulk_max_recipients
    if len(ids) > most:
        raise refuse("many", f"At most {most} recipients fit into one campaign")
    return ids


RecipientIds = Annotated[list[ObjectId], Field(min_length=1), AfterValidator(_few), AtMostAsConfigured()]
Template = Annotated[
    Content,
    AfterValidator(check_template),
    Field(description="`{{name}}`, `{{handle}}`, `{{tier}}` become the fan's; `{{name|friend}}` says what stands in"),
]


class BulkRequest(Letter):
    """One text for many fans of an account."""

    model_config = ConfigDict(json_schema_extra={"examples": [BULK_EXAMPLE], **price_asks_for("mediaUrls")})

    recipient_ids: RecipientIds = Field(description="Our ids of the fans; one that is named twice gets one message")
    content: Template
    campaign_name: Annotated[Line, Field(max_length=NAME_LENGTH)]
    priority: Urgency = "low"


class Rejected(Answer):
    """A recipient who gets nothing."""

    recipient_id: int
    reason: str


class Launched(Answer):
    """A campaign whose messages are kept and will be delivered."""

    success: bool = True
    campaign_id: int
    total_recipients: int = Field(description="Without the rejected ones")
    queued: int = Field(description="How many messages wait for their turn or their time")
    failed: int
    rejected: list[Rejected] = Field(description="Who isn't a fan of the account, or can't be written to")
    estimated_completion_time: Moment | None = Field(description="Null while nothing moves, and once it is over")
    status: Stage

    @classmethod
    def of(cls, standing: Standing, completion: datetime | None) -> "Launched":
        """The answer for a campaign as it stands."""
        counts = standing.counts
        return cls(
            campaign_id=standing.campaign.id,
            total_recipients=standing.total,
            queued=counts.scheduled + counts.queued,
            failed=counts.failed,
            rejected=[Rejected.model_validate(one, by_alias=True) for one in standing.campaign.rejected],
            estimated_completion_time=completion,
            status=standing.stage,  # type: ignore[arg-type]
        )


class CountsItem(Answer):
    """The messages of a campaign by status, counted now; one that was retried counts as the new one."""

    scheduled: int
    queued: int
    sending: int
    sent: int
    failed: int
    canceled: int
    unknown: int


class CampaignItem(Answer):
    """One campaign."""

    id: int
    user_id: int = Field(description="The account's owner")
    account_id: int
    name: str
    text: str
    price_cents: int
    attachments: list[Medium]
    priority: Literal["high", "normal", "low"]
    status: Stage = Field(description="`late`: it was due while nothing ran, and waits for a word: resume or cancel it")
    total_recipients: int
    rejected_recipients: int
    counts: CountsItem
    scheduled_at: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, standing: Standing) -> "CampaignItem":
        """The answer for a campaign as it stands."""
        return cls(**_fields(standing))


class CampaignDetail(CampaignItem):
    """One campaign, and when it will be over."""

    estimated_completion_time: Moment | None = Field(description="Null while nothing moves, and once it is over")


class CampaignList(Answer):
    """A page of campaigns, the newest first."""

    campaigns: list[CampaignItem]
    total: int
    limit: int
    offset: int


class Recipient(Answer):
    """What became of the campaign for one fan."""

    fan_id: int
    name: str
    handle: str | None
    message_id: str
    conversation_id: int
    status: State
    error: str | None
    sent_at: Moment | None

    @classmethod
    def of(cls, result: Result) -> "Recipient":
        """The answer for one fan."""
        return cls(
            **{name: getattr(result, name) for name in cls.model_fields if name != "message_id"},
            message_id=result.public_id,
        )


class CampaignAnswer(Answer):
    """One campaign as it stands."""

    campaign: CampaignDetail

    @classmethod
    def of(cls, standing: Standing, completion: datetime | None) -> "CampaignAnswer":
        """The answer for a campaign as it stands."""
        return cls(campaign=CampaignDetail(**_fields(standing), estimated_completion_time=completion))


class CampaignWithRecipients(CampaignAnswer):
    """One campaign, and a page of its recipients in the order of sending."""

    recipients: list[Recipient]
    total: int
    limit: int
    offset: int


class CampaignsQuery(Query):
    """Which campaigns."""

    limit: Limit = 50
    offset: Offset = 0
    account_id: QueryId | None = Field(default=None, description="All of your accounts when left out")


class RecipientsQuery(Query):
    """Which recipients."""

    limit: Limit = 50
    offset: Offset = 0
    status: State | None = Field(default=None, description="Only those whose message stands so")


def _fields(standing: Standing) -> dict[str, Any]:
    campaign = standing.campaign
    return {
        "id": campaign.id,
        "user_id": standing.owner_id,
        "account_id": campaign.account_id,
        "name": campaign.name,
        "text": campaign.text,
        "price_cents": campaign.price_cents,
        "attachments": [Medium(type=one["type"], url=one.get("url")) for one in campaign.attachments],
        "priority": PRIORITY_NAMES[campaign.priority],  # type: ignore[index]
        "status": standing.stage,
        "total_recipients": standing.total,
        "rejected_recipients": len(campaign.rejected),
        "counts": CountsItem(**asdict(standing.counts)),
        "scheduled_at": campaign.scheduled_at,
        "created_at": campaign.created_at,
    }
