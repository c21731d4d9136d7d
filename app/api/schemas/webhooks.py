"""Events of the platform, in its own spelling; what it adds one day is taken too."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class WebhookBody(BaseModel):
    """One event."""

    model_config = ConfigDict(
        extra="ignore",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "event": "messages.received",
                    "account_id": "acct_abc123",
                    "payload": {
                        "id": 5123456789012,
                        "text": "<p>Hello!</p>",
                        "fromUser": {"id": 123456789},
                        "createdAt": "2026-11-01T12:00:00+00:00",
                    },
                }
            ]
        },
    )

    event: Annotated[str, Field(pattern=r"^[!-~]{1,100}$", description="Such as `messages.received`")]
    account_id: Annotated[str, Field(pattern=r"^[!-~]{0,64}$", description="The account's id at the platform")] = ""
    payload: Any = Field(default=None, description="What the event is about, in a shape of its own")
