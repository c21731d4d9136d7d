"""Fans: what they are, what may be written about them, and how they are listed."""

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo
from pydantic.config import JsonDict

from app.api.schemas.base import (
    EMAIL,
    HANDLE,
    LINE,
    Answer,
    Limit,
    Moment,
    MomentIn,
    ObjectId,
    Offset,
    Query,
    QueryId,
    Request,
    Text,
    whole,
)
from app.api.schemas.letters import URL_SCHEMA
from app.fans.queries import Owned
from app.fans.service import Details
from app.messages.rules import MediaUrl, RecipientId, refuse

MOST_MONEY = 10**12
MOST_TAGS = 50
URL_LENGTH = 500
EXAMPLE: JsonDict = {"name": "Tom", "handle": "tom", "platformId": "1001", "tags": ["vip"], "notes": "Likes sunsets"}
NAMED: list[JsonValue] = [
    {"required": [field], "properties": {field: {"type": "string"}}} for field in ("name", "handle", "platformId")
]
Status = Literal["active", "expired"]
Sort = Literal[
    "name", "-name", "valueCents", "-valueCents", "lastSeenAt", "-lastSeenAt", "createdAt", "-createdAt"
]  # fmt: skip


def _plain_handle(value: Any) -> Any:
    return value.removeprefix("@").lower() if isinstance(value, str) and value.isascii() else value


def _distinct(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def _known_by_something(value: str | None, info: ValidationInfo) -> str | None:
    # A handle or an id that was refused itself isn't in `data`: then its own fault is enough.
    others = (info.data.get("handle", "refused"), info.data.get("platform_id", "refused"))
    if value is None and not any(others):
        raise refuse("nameless", "Name is required, or a handle or a platform ID")
    return value


Line = Annotated[str, Field(pattern=LINE), AfterValidator(str.strip)]
Name = Annotated[Line, Field(max_length=200)]
Handle = Annotated[
    str,
    Field(
        pattern=HANDLE, description="With or without `@`", json_schema_extra={"pattern": "^@?[A-Za-z0-9._-]{1,100}$"}
    ),
    BeforeValidator(_plain_handle),
]
Email = Annotated[str, Field(pattern=EMAIL, max_length=254)]
Avatar = Annotated[MediaUrl, Field(max_length=URL_LENGTH, json_schema_extra=URL_SCHEMA | {"maxLength": URL_LENGTH})]
Short = Annotated[Line, Field(max_length=50)]
Tags = Annotated[list[Short], Field(max_length=MOST_TAGS), AfterValidator(_distinct)]
Notes = Annotated[Text, Field(max_length=10_000)]
Money = Annotated[int, Field(ge=0, le=MOST_MONEY, description="Cents, gross"), BeforeValidator(whole)]


class FansQuery(Query):
    """Which fans."""

    limit: Limit = 50
    offset: Offset = 0
    q: Text = Field(default="", max_length=100, description="Part of a name, a handle or an e-mail address")
    tag: Text = Field(default="", max_length=50)
    status: Status | None = None
    sort: Sort = Field(default="name", description="`-` in front: downwards")
    account_id: QueryId | None = Field(default=None, description="All of your accounts when left out")


class FanNew(Request):
    """A fan who is written down; at least name, handle or platform id."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [EXAMPLE],
            "anyOf": [{"required": [k]} for k in ("name", "handle", "platformId")],
        }
    )

    handle: Handle | None = None
    platform_id: RecipientId | None = Field(default=None, description="Without it nothing can be sent to the fan")
    name: Annotated[Name | None, AfterValidator(_known_by_something)] = Field(default=None, validate_default=True)
    email: Email | None = None
    avatar: Avatar | None = None
    tier: Short | None = None
    status: Status = "active"
    tags: Tags = Field(default_factory=list)
    notes: Notes = ""
    value_cents: Money = 0
    last_seen_at: MomentIn | None = None
    account_id: ObjectId | None = Field(default=None, description="Your only account when left out")

    def details(self) -> Details:
        """What the room takes; who has no name is called by handle or platform id."""
        found = self.model_dump(exclude={"account_id"})
        return cast(Details, found | {"name": self.name or self.handle or self.platform_id})


def _nothing_by_default(schema: JsonDict) -> None:
    schema["examples"] = [{"tags": ["vip", "birthday in May"], "tier": None}]
    for field in cast(dict[str, JsonDict], schema["properties"]).values():
        field.pop("default", None)


class FanChange(Request):
    """What changes; what is left out stays, and null takes away."""

    model_config = ConfigDict(json_schema_extra=_nothing_by_default)

    handle: Handle | None = None
    platform_id: RecipientId | None = None
    name: Name = ""
    email: Email | None = None
    avatar: Avatar | None = None
    tier: Short | None = None
    status: Status = "active"
    tags: Tags = Field(default_factory=list)
    notes: Notes = ""
    value_cents: Money = 0
    last_seen_at: MomentIn | None = None

    def details(self) -> Details:
        """Only what was given."""
        return cast(Details, self.model_dump(exclude_unset=True))


class FanItem(Answer):
    """One fan."""

    id: int
    user_id: int = Field(description="The account's owner")
    account_id: int
    platform: Literal["onlyfans"] = "onlyfans"
    platform_id: str | None
    name: str
    handle: str | None
    email: str | None
    avatar: str | None
    tier: str | None
    status: Status
    tags: list[str]
    notes: str
    value_cents: int
    last_seen_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, owned: Owned) -> "FanItem":
        """The answer for a fan."""
        columns = {name: getattr(owned.fan, name) for name in cls.model_fields if name not in ("user_id", "platform")}
        return cls(user_id=owned.owner_id, **columns)


class FanAnswer(Answer):
    """One fan."""

    fan: FanItem


class FanList(Answer):
    """A page of fans."""

    fans: list[FanItem]
    total: int
    limit: int
    offset: int
