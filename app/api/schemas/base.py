"""What all requests and answers of the JSON door share: camelCase, strictness, and the types of single fields."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import to_json

from app.clock import iso
from app.messages.rules import UNPRINTABLE, refuse

LARGEST_ID = 10**18 - 1
MOST_A_PAGE = 200
FURTHEST_OFFSET = 10**9
CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
"""Characters that UNPRINTABLE refuses, for patterns in the document."""
LINE = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
KEY = r"^[!-~]{8,200}$"
HANDLE = r"^[a-z0-9._-]{1,100}$"
EMAIL = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s\x00-\x1f\x7f-\x9f]+$"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
UPPER = {"Id": "ID", "Ids": "IDs", "Url": "URL", "Urls": "URLs", "Api": "API"}


def label(name: str) -> str:
    """`recipientId` → `Recipient ID`: how messages and the document call a field."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).split(" ")
    first, *rest = [UPPER.get(word.capitalize(), word.lower()) for word in words]
    return " ".join([first[:1].upper() + first[1:], *rest])


class Request(BaseModel):
    """What comes in: unknown fields refused, no type taken for another."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, field_title_generator=lambda name, _: label(name)
    )


class Query(BaseModel):
    """What comes in by the address: all text, so that numbers are read from digits."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


def _absent_is_not_null(schema: JsonDict) -> None:
    for field in cast(dict[str, JsonDict], schema["properties"]).values():
        for choice in cast(list[JsonDict], field.pop("anyOf", [])):
            field.update(choice if choice.get("type") != "null" else {})
        if field.get("default", ...) is None:
            del field["default"]


class Form(Query):
    """What comes in as multipart/form-data: files, and text as in addresses."""

    model_config = ConfigDict(json_schema_extra=_absent_is_not_null)


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it came."""

    name: str
    content: bytes


class Answer(BaseModel):
    """What goes out, made by its Python names and written in camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
    )


def whole(value: Any) -> Any:
    """36.0 → 36: JSON knows no difference. Must come after the limits in a type, or the document loses them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digits(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]+", value):
        raise refuse("digits", "must be a whole number")
    return int(value[:30]) if isinstance(value, str) else value


def _capped(value: int) -> int:
    return min(value, MOST_A_PAGE)


def _written_out(value: Any) -> Any:
    if not isinstance(value, str) or not MOMENT.match(value):
        raise refuse("moment", "must be a time such as 2026-11-01T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise refuse("moment", "must be a time such as 2026-11-01T12:00:00Z") from None


def _printable(value: str) -> str:
    if UNPRINTABLE.search(value):
        raise refuse("unprintable", "must not hold control characters")
    return value


Whole = Annotated[int, BeforeValidator(whole)]
"""A JSON number without a fraction."""

ObjectId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(whole)]
"""One of our integer ids."""

QueryId = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_digits)]
File = Annotated[InstanceOf[SentFile], WithJsonSchema({"type": "string", "format": "binary"})]
Limit = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(_digits),
    AfterValidator(_capped),
    Field(description=f"How many at most; more than {MOST_A_PAGE} counts as {MOST_A_PAGE}"),
]
Offset = Annotated[int, Field(ge=0, le=FURTHEST_OFFSET, description="How many to skip"), BeforeValidator(_digits)]
Text = Annotated[str, AfterValidator(_printable), Field(json_schema_extra={"pattern": f"^[^{CONTROL}]*$"})]
"""Text without control characters: what every database stores and every page shows."""

MomentIn = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""A time with its zone, ISO 8601; becomes UTC."""

Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-01T12:00:00Z"]}),
]
"""A time in an answer: UTC, to the second, with `Z`."""


class Plain(dict[str, Any]):
    """An answer written out as its model would be: for long lists, where a model for each row is too slow."""

    def model_dump_json(self) -> bytes:
        """As a model does it."""
        return to_json(self)


class Done(Answer):
    """It worked, and there is nothing more to say."""

    success: bool = True


class ForAccount(Query):
    """Which account to act for."""

    account_id: QueryId | None = Field(default=None, description="Your only account when left out")
