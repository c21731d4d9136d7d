"""The fields that all ways of writing a message share."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import InitErrorDetails

from app.api.schemas.base import CONTROL, MomentIn, ObjectId, Request, Whole
from app.clock import now
from app.messages.rules import (
    MEDIA_MOST,
    PRICE_HIGH,
    PRICE_LOW,
    PRIORITIES,
    PRIVATE_SUFFIXES,
    TEXT_LENGTH,
    URL_LENGTH,
    Draft,
    MediaUrl,
    MessageText,
    attachment_of,
    price_fault,
    refuse,
)

Kind = Literal["image", "video", "audio"]
TEXT_SCHEMA: dict[str, Any] = {
    "minLength": 1,
    "maxLength": TEXT_LENGTH,
    "pattern": rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$",
}
PRIVATE = "|".join(suffix[1:] for suffix in PRIVATE_SUFFIXES)
URL_SCHEMA: dict[str, Any] = {
    "format": "uri",
    "maxLength": URL_LENGTH,
    "pattern": "^https://",
    "not": {"pattern": rf"^https://[^/?#]*\.({PRIVATE})\.?([:/?#]|$)"},
}
PRICE_SCHEMA: dict[str, Any] = {"anyOf": [{"const": 0}, {"minimum": PRICE_LOW, "maximum": PRICE_HIGH}]}


def price_asks_for(media: str) -> dict[str, Any]:
    """What a schema says about a price: it needs the list that is called `media`."""
    priced = {"properties": {"priceCents": {"minimum": 1}}, "required": ["priceCents"]}
    return {"if": priced, "then": {"properties": {media: {"minItems": 1}}, "required": [media]}}


def _few(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    # Too many, and a wrong one among them, are two faults: a maximum length of pydantic's would hide the second.
    if not isinstance(value, list) or len(value) <= MEDIA_MOST:
        return handler(value)
    many = refuse("many", f"At most {MEDIA_MOST} media fit into one message")
    faults = [InitErrorDetails(type=many, input=value)]
    try:
        handler(value)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            ours = "text" in one.get("ctx", {})
            kind = refuse(one["type"], one["msg"]) if ours else one["type"]
            faults.append(InitErrorDetails(type=kind, loc=one["loc"], input=one["input"], ctx=one.get("ctx", {})))
    raise ValidationError.from_exception_data("media", faults)


def _priced(value: int, info: ValidationInfo) -> int:
    # Media that were refused themselves aren't here: then their own fault is enough.
    media = info.data.get("media_urls", info.data.get("attachments"))
    fault = price_fault(value, 1 if media is None else len(media))
    if fault is not None:
        raise refuse("price", fault)
    return value


def _in_the_future(value: datetime | None, info: ValidationInfo) -> datetime | None:
    if value is not None and value <= (info.context or now()):
        raise refuse("past", "must be in the future")
    return value


Content = Annotated[MessageText, Field(json_schema_extra=TEXT_SCHEMA, description="What the fan reads")]
Url = Annotated[MediaUrl, Field(json_schema_extra=URL_SCHEMA, description="https, at a public host")]
Price = Annotated[
    Whole,
    AfterValidator(_priced),
    Field(json_schema_extra=PRICE_SCHEMA, description=f"0, or {PRICE_LOW} to {PRICE_HIGH} and only with media"),
]
"""Cents; its field must come after the media in a model, because it looks at them."""

Later = Annotated[
    MomentIn | None, AfterValidator(_in_the_future), Field(description="In the future; at once when left out")
]
Urgency = Annotated[
    Literal["high", "normal", "low"], Field(description="Within the account, high goes before normal before low")
]


class Attachment(Request):
    """One medium: the platform fetches it from its URL."""

    type: Kind
    url: Url


ATTACHED = Field(
    json_schema_extra={"maxItems": MEDIA_MOST}, description=f"At most {MEDIA_MOST}; the platform fetches them"
)
MediaUrls = Annotated[list[Url], WrapValidator(_few), ATTACHED]
Attachments = Annotated[list[Attachment], WrapValidator(_few), ATTACHED]


class Letter(Request):
    """A text with media by their URLs, for whomever a request names besides."""

    content: Content
    media_urls: MediaUrls = Field(default_factory=list)
    price_cents: Price = 0
    priority: Urgency = "high"
    scheduled_at: Later = None
    account_id: ObjectId | None = Field(default=None, description="Your only account when left out")

    def draft(self) -> Draft:
        """The message as the rooms take it."""
        return Draft(
            text=self.content,
            priority=PRIORITIES[self.priority],
            price_cents=self.price_cents,
            attachments=tuple(attachment_of(url) for url in self.media_urls),
            scheduled_at=self.scheduled_at,
        )
