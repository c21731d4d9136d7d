"""Connected platform accounts."""

from pydantic import Field

from app.accounts.models import Account
from app.api.schemas.base import Answer, Moment


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
