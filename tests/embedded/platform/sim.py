"""A simulated platform as tests see it: its door, by plain HTTP and by the real SDK, and its control."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
from onlyfansapi import OnlyFansAPI

from embedded.platform_process import KEY

Json = dict[str, Any]


class Sim:
    """One running platform; `http` has the key and follows no redirects, `sdk` never tries again."""

    def __init__(self, url: str) -> None:
        self.url = url
        # It speaks plain HTTP: to read every authority's certificate would take longer than most tests.
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=10, verify=False)
        self.plain = httpx.Client(follow_redirects=False, timeout=10, verify=False)
        self.sdk = OnlyFansAPI(api_key=KEY, base_url=url, max_retries=0, timeout=10, http_client=self.plain)

    def close(self) -> None:
        """Close what is open."""
        self.http.close()
        self.plain.close()

    def send(
        self, account: str = "acct_a", chat: str = "7", key: str | None = None, timeout: float = 10, **body: Any
    ) -> httpx.Response:
        """Send a message; without fields, the text `Hello`."""
        headers = {} if key is None else {"Idempotency-Key": key}
        path = f"/api/{account}/chats/{chat}/messages"
        return self.http.post(path, json=body or {"text": "Hello"}, headers=headers, timeout=timeout)

    def listed(self, account: str = "acct_a", chat: str = "7", **query: Any) -> Json:
        """Return a page of a chat's messages."""
        answer: Json = self.http.get(f"/api/{account}/chats/{chat}/messages", params=query).raise_for_status().json()
        return answer

    def texts(self, account: str = "acct_a", chat: str = "7") -> list[str]:
        """Return the texts in a chat, newest first."""
        return [message["text"] for message in self.listed(account, chat, limit=100)["data"]]

    def ask(self, path: str, **query: str | float) -> Json:
        """Ask the control."""
        answer: Json = self.http.get(f"/_sim{path}", params=query).raise_for_status().json()
        return answer

    def tell(self, path: str, body: Mapping[str, object]) -> Json:
        """Tell the control."""
        answer: Json = self.http.post(f"/_sim{path}", json=body).raise_for_status().json()
        return answer

    def fault(self, kind: str, **rule: object) -> Json:
        """Put a fault in force."""
        return self.tell("/faults", {"kind": kind, **rule})

    def works_again(self) -> None:
        """Take every fault out of force."""
        self.http.delete("/_sim/faults").raise_for_status()

    def entries(self, account: str = "acct_a") -> list[Json]:
        """Return the account's journal."""
        entries: list[Json] = self.ask("/journal", account=account)["entries"]
        return entries

    def last(self, account: str = "acct_a") -> Json:
        """Return the account's newest entry."""
        return self.entries(account)[-1]

    def last_when(self, outcome: str) -> Json:
        """Return the newest entry as soon as it has that outcome: what a caller left behind ends by itself."""
        deadline = time.monotonic() + 5
        while (entry := self.last())["outcome"] != outcome:
            assert time.monotonic() < deadline, entry
            time.sleep(0.01)
        return entry

    def deliveries(self, account: str = "acct_a") -> list[Json]:
        """Return what was delivered for the account."""
        found: list[Json] = self.ask("/deliveries", account=account)["deliveries"]
        return found

    def summary(self, account: str = "acct_a", window: float = 60) -> Json:
        """Return the account's figures."""
        figures: Json = self.ask("/summary", account=account, window=window)["accounts"][account]
        return figures
