"""Signing in to the API."""

from pydantic import ConfigDict, Field

from app.accounts.tokens import ACCESS_LIFE, Pair
from app.api.schemas.base import Answer, Request, Text


class Credentials(Request):
    """Who signs in."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "ada@example.com", "password": "demo-password-1"}}
    )

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=200)
    code: str | None = Field(
        None,
        min_length=6,
        max_length=40,
        description="Of the second factor, for those who have one; a recovery code does",
    )


class Refresh(Request):
    """A refresh token, as it was answered."""

    refresh_token: str = Field(min_length=1, max_length=200)


class Tokens(Answer):
    """What a client holds: send the access token as `Authorization: Bearer …`, use the refresh token once."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(description="Seconds that the access token is valid")

    @classmethod
    def of(cls, pair: Pair) -> "Tokens":
        """The answer for a new pair."""
        life = int(ACCESS_LIFE.total_seconds())
        return cls(access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=life)
