"""The audit log: everything that is written down has its words, and everybody reads their own part, page by page."""

import ast
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import time_machine
from flask.testing import FlaskClient

from app.accounts import operating, owning, service
from app.accounts.models import User
from app.db import transaction
from app.monitoring import audit
from app.pages.audit import WORDS
from tests.house.source import calls, files
from tests.messages.line import queue
from tests.pages.conftest import SignIn
from tests.support.cast import Cast

OF_CAMPAIGNS = {"campaign.paused", "campaign.resumed", "campaign.canceled", "campaign.launched", "campaign.retried"}
OF_TAGS = {"fans.tagged", "fans.untagged"}
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def read(client: FlaskClient, path: str = "/audit") -> list[str]:
    """What the log says was done, page after page."""
    said: list[str] = []
    for _ in range(20):
        page = client.get(path).text
        rows = re.findall(r"<td><time.*?</td>\s*<td>(.*?)</td>\s*<td>(.*?)</td>", page, re.DOTALL)
        said += [re.sub(r"<[^>]+>", "", f"{who}: {what}") for who, what in rows]
        older = re.search(r'href="(/audit\?[^"]*before=[^"]+)"', page)
        if older is None:
            return said
        path = older[1].replace("&amp;", "&")
    raise AssertionError("the log has no end")


def test_every_action_has_its_words() -> None:
    written = {
        call.args[0].value
        for path in files("app")
        for called, call in calls(path)
        if called.rpartition(".")[2] == "audit" and call.args and isinstance(call.args[0], ast.Constant)
    }
    assert written | OF_CAMPAIGNS | OF_TAGS | {audit.WROTE} == set(WORDS)


def test_everybody_reads_what_was_done_on_their_accounts(sign_in: SignIn, cast: Cast) -> None:
    service.stop_account(cast.max, cast.account.id)
    owning.dismiss(cast.bea, cast.beas_account.id, cast.max.id)
    service.exported(cast.eve, [cast.eves_account.id], "fans")
    queue(cast.ada, cast.conversations[0], "canary-text")
    said = read(sign_in(cast.ada))
    assert said == [
        "Ada Example: Signed in: Unknown browser",
        "Ada Example: Wrote to Tom Tester",
        "Max Example: Stopped the account&#39;s sending",
    ]
    assert read(sign_in(cast.max)) == ["Max Example: Signed in: Unknown browser", *said[1:]]
    assert read(sign_in(cast.bea))[1:] == ["Bea Example: Removed Max Example from the account"]
    assert read(sign_in(cast.eve))[1:] == ["Eve Example: Exported fans"]


def test_an_operator_reads_all_but_who_wrote_to_whom(sign_in: SignIn, cast: Cast) -> None:
    operating.create_user("new@example.com", "Nia New", service.Role.MANAGER, "demo-password-9")
    service.stop_account(cast.eve, cast.eves_account.id)
    queue(cast.ada, cast.conversations[0])
    assert read(sign_in(cast.olga)) == [
        "Olga Example: Signed in: Unknown browser",
        "Eve Example: Stopped the account&#39;s sending",
        "The system: Created Nia New, manager",
    ]


def test_pages_neither_repeat_nor_leave_out(sign_in: SignIn, cast: Cast, ada: User) -> None:
    with transaction():
        for number in range(70):
            # Three kinds of rows at the very same moments.
            with time_machine.travel(NOON + timedelta(seconds=number // 5), tick=False):
                service.audit("fans.tagged", user=ada, account_id=cast.account.id, fans=number)
                service.audit("token.created", user=ada, name=f"Number {number}")
                queue(ada, cast.conversations[number % 3])
    said = Counter(read(sign_in(ada))[1:])
    assert sum(said.values()) == 210
    assert {words: count for words, count in said.items() if count > 1}.keys() == {
        "Ada Example: Wrote to Tom Tester",
        "Ada Example: Wrote to Uma Umbrella",
        "Ada Example: Wrote to Vic Vapour",
    }
    assert len(read(sign_in(ada), f"/audit?account={cast.account.id}")) == 140


def test_strange_addresses_harm_nobody(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(cast.ada)
    assert client.get(f"/audit?account={cast.eves_account.id}").status_code == 404
    assert client.get("/audit?account=x").status_code == 404
    for before in ("", "x", "1-1", "1-1-1-1", "9" * 18 + "-" + "9" * 18 + "-" + "9" * 18, "-1-1-1", "١-1-1"):
        assert client.get(f"/audit?before={before}").status_code == 200, before
