"""The platform behind a small Protocol, spoken through its SDK with the SDK's own retries off.

This is the one place that sends. Every answer is translated into what it means for a message.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import httpx
from onlyfansapi import APIConnectionError, APIError, APIStatusError, OnlyFansAPI

from app.gateways.answers import (
    Answer,
    CallFailed,
    ChatMessage,
    Letter,
    Listed,
    Login,
    Verdict,
    is_platform_id,
    read_chat_message,
    read_listed,
    read_lost_connection,
    read_reason,
    read_refusal,
    read_success,
)
from app.gateways.transport import DeadlineTransport, deadline

PAGE = 100
PAGES_MOST = 20


class Platform(Protocol):
    """What delivery needs of the platform."""

    def send(self, login: Login, letter: Letter) -> Answer:
        """Make the one call that sends; never raises."""

    def newest_messages(self, login: Login, chat: str, since: datetime) -> list[ChatMessage]:
        """The chat's messages not older than `since`, newest first; raises CallFailed."""

    def mark_unread(self, login: Login, chat: str) -> None:
        """Set a chat back to unread; raises CallFailed."""

    def mark_read(self, login: Login, chat: str) -> None:
        """Say that a chat has been read; raises CallFailed."""

    def upload(self, login: Login, url: str) -> str:
        """Have the platform fetch `url` into the vault; the media's id. Raises CallFailed."""

    def key_works(self, api_key: str) -> bool:
        """Whether the key is accepted at all; raises CallFailed when nobody can tell."""

    def connected_accounts(self, api_key: str) -> set[str]:
        """Platform ids of the accounts that the key lists and that are signed in; raises CallFailed."""

    def listed_accounts(self, api_key: str) -> list[Listed]:
        """The accounts that the key lists, signed in or not; raises CallFailed."""


class OnlyFansPlatform:
    """The real one. One client for all threads, a connection for each; every call ends after its time-out in all."""

    def __init__(self, base_url: str, timeout: float) -> None:
        self.timeout = timeout
        self.slow_timeout = max(60.0, timeout) if timeout >= 5 else timeout * 3
        self.http = httpx.Client(
            transport=DeadlineTransport(),
            follow_redirects=False,
            timeout=httpx.Timeout(self.slow_timeout, connect=min(5.0, timeout)),
            trust_env=False,
        )
        self.client = OnlyFansAPI(api_key="unset", base_url=base_url, max_retries=0, http_client=self.http)
        self.by_key: dict[str, OnlyFansAPI] = {}
        _warm_up()

    def send(self, login: Login, letter: Letter) -> Answer:
        """Make the one call that sends; never raises."""
        body: dict[str, Any] = {"text": letter.text}
        if letter.media_ids:
            body["media_files"] = list(letter.media_ids)
        if letter.price_cents:
            body["price"] = letter.price_cents / 100
        try:
            with deadline(self.timeout):
                response = self.client_for(login.api_key).chats.messages.with_raw_response.send(
                    letter.chat, account=login.account, idempotency_key=letter.key, **body
                )
            return read_success(response.http_response)
        except APIStatusError as error:
            return read_refusal(error)
        except APIConnectionError as error:
            return read_lost_connection(error)
        except (APIError, httpx.HTTPError, ValueError, OSError) as error:
            return Answer(Verdict.UNCLEAR, reason=f"The platform's answer was unreadable ({type(error).__name__})")

    def newest_messages(self, login: Login, chat: str, since: datetime) -> list[ChatMessage]:
        """The chat's messages not older than `since`, newest first; raises CallFailed."""
        found: list[ChatMessage] = []
        first_id: str | None = None
        with self.outside_call():
            for _ in range(PAGES_MOST):
                raw = self.client_for(login.api_key).chats.messages.with_raw_response.list(
                    chat, account=login.account, limit=str(PAGE), order="desc", first_id=first_id
                )
                body = raw.http_response.json()
                page = [read_chat_message(item) for item in body["data"]]
                found += [message for message in page if message.created_at >= since]
                more = (body.get("_pagination") or {}).get("next_page")
                if not more or not page or page[-1].created_at < since:
                    return found
                first_id = page[-1].id
        raise CallFailed("The chat is too long to be read back")

    def mark_unread(self, login: Login, chat: str) -> None:
        """Set a chat back to unread; raises CallFailed."""
        with self.outside_call():
            self.client_for(login.api_key).chats.mark_as_unread(chat, account=login.account)

    def mark_read(self, login: Login, chat: str) -> None:
        """Say that a chat has been read; raises CallFailed."""
        with self.outside_call():
            self.client_for(login.api_key).chats.mark_as_read(chat, account=login.account)

    def upload(self, login: Login, url: str) -> str:
        """Have the platform fetch `url` into the vault; the media's id. Raises CallFailed."""
        with self.outside_call():
            raw = self.client_for(login.api_key).media.vault.with_raw_response.upload(login.account, file_url=url)
            body = raw.http_response.json()
            media_id = body.get("data", body)["id"]
            if not is_platform_id(media_id):
                raise CallFailed("The platform's answer named no media")
            return str(media_id)

    def key_works(self, api_key: str) -> bool:
        """Whether the key is accepted at all; raises CallFailed when nobody can tell."""
        try:
            with self.outside_call():
                self.client_for(api_key).whoami.retrieve()
        except CallFailed as error:
            if error.refused_login:
                return False
            raise
        return True

    def connected_accounts(self, api_key: str) -> set[str]:
        """Platform ids of the accounts that the key lists and that are signed in; raises CallFailed."""
        return {account.platform_id for account in self.listed_accounts(api_key) if account.signed_in}

    def listed_accounts(self, api_key: str) -> list[Listed]:
        """The accounts that the key lists, signed in or not; raises CallFailed."""
        with self.outside_call():
            listed = self.client_for(api_key).accounts.with_raw_response.list().http_response.json()
            return [read_listed(account) for account in listed]

    def client_for(self, api_key: str) -> OnlyFansAPI:
        """The SDK with this key, for calls inside `outside_call`."""
        if api_key not in self.by_key:
            self.by_key[api_key] = self.client.with_options(api_key=api_key)
        return self.by_key[api_key]

    @contextmanager
    def outside_call(self) -> Iterator[None]:
        """Calls in here end in time, and fail with CallFailed alone."""
        try:
            with deadline(self.slow_timeout):
                yield
        except APIStatusError as error:
            raise CallFailed(
                read_reason(error.body) or f"The platform answered {error.status_code}",
                final=error.status_code in {400, 403, 404, 413, 415, 422},
                refused_login=error.status_code == 401,
            ) from error
        except (APIError, httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise CallFailed(f"The platform didn't answer ({type(error).__name__})") from error


def _warm_up() -> None:
    """Have the SDK import and build what it makes at a first call (half a second), so that no real one starts late."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": {"id": 1, "text": "", "createdAt": "2026-01-01T00:00:00+00:00"}})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = OnlyFansAPI(api_key="none", base_url="http://nowhere.invalid", max_retries=0, http_client=http)
        client.chats.messages.with_raw_response.send("1", account="acct_none", text="-", idempotency_key="-")
