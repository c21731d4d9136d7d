"""What the variable parts of a path may be; anything else is a path that doesn't exist."""

from typing import Any

from werkzeug.routing import BaseConverter

from app.api.schemas.base import LARGEST_ID


class NumberConverter(BaseConverter):
    """`<number:fan_id>`: one of our integer ids; never more digits than a database can compare."""

    regex = r"[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """The id as a number."""
        return int(value)


class ReferenceConverter(BaseConverter):
    """`<reference:message_id>`: a message's integer id, or its public one."""

    regex = r"[A-Za-z0-9_-]{1,64}"


CONVERTERS = {"number": NumberConverter, "reference": ReferenceConverter}
SCHEMAS: dict[type[BaseConverter], dict[str, Any]] = {
    NumberConverter: {"type": "integer", "minimum": 0, "maximum": LARGEST_ID},
    ReferenceConverter: {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
