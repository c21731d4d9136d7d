"""Connected platform accounts."""

from typing import Annotated

from pydantic import ConfigDict, Field

from app.accounts.connecting import Wanted
from app.accounts.models import Account
from app.api.schemas.analytics import Zone
from app.api.schemas.base import KEY, LINE, Answer, Moment, Request
from app.messages.rules import RecipientId


class AccountNew(Request):
    """An account to connect."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"platformId": "acct_abc123", "timeZone": "Europe/Paris"}]}
    )

    platform_id: RecipientId = Field(description="The account's id at the platform")
    display_name: Annotated[str, Field(max_length=100, pattern=LINE)] | None = Field(
        default=None, description="The platform's name for it when left out"
    )
    api_key: Annotated[str, Field(pattern=KEY)] | None = Field(
        default=None, description="A key of your own that lists the account; the deployment's when left out"
    )
    time_zone: Zone = Field(default="UTC", description="In which its days begin and end")

    def wanted(self) -> Wanted:
        """What the room needs to know."""
        return Wanted(self.platform_id, self.display_name, self.api_key, self.time_zone)


class AccountItem(Answer):
    """One account; its key is never shown."""

    id: int
    user_id: int = Field(description="The owner")
    platform_id: str
    display_name: str
    time_zone: str
    api_key_last4: str | None = Field(description="Of the account's own key; null when it uses the deployment's")
    connected: bool = Field(description="The platform accepts its login")
    stopped: bool = Field(description="Its people stopped its sending")
    created_at: Moment

    @classmethod
    def of(cls, account: Account) -> "AccountItem":
        """The answer for an account."""
        return cls(
            id=account.id,
            user_id=account.owner_id,
            platform_id=account.platform_id,
            display_name=account.display_name,
            time_zone=account.time_zone,
            api_key_last4=account.api_key_last4,
            connected=account.reconnect_since is None,
            stopped=account.stopped_at is not None,
            created_at=account.created_at,
        )


class AccountList(Answer):
    """The accounts that you act for."""

    accounts: list[AccountItem]
    total: int


class AccountAnswer(Answer):
    """One account."""

    account: AccountItem
