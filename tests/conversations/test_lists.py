"""Pages of conversations are read from an index in their own order, on both databases; totals from the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from app.accounts.tokens import Proof
from app.conversations import lists
from app.conversations import service as conversations
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


def _plan(unread: bool) -> str:
    """How the database finds a page of one account's conversations."""
    asked: list[tuple[str, Any]] = []
    connection = db.session.connection()
    event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    page = lists._page(lists._Matching(several=False, named=True, unread=unread, search=""))
    connection.execute(page, {"viewer": 1, "account": 1, "limit": 50, "offset": 100})
    (statement, values), *_ = asked
    if connection.dialect.name == "sqlite":
        return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))
    # With four rows it would sort rather than look; what matters is what it can do with many.
    for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
        connection.execute(text(f"SET LOCAL {setting} = off"))
    return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))


@pytest.mark.parametrize(("unread", "index"), [(False, "ix_conversation_newest"), (True, "ix_conversation_unread")])
@pytest.mark.usefixtures("cast")
def test_a_page_is_found_in_an_index_without_sorting_what_is_skipped(app: Flask, unread: bool, index: str) -> None:
    with transaction():
        plan = _plan(unread)
    if db.engine.dialect.name == "sqlite":
        assert f"INDEX {index} (account_id=?)" in plan
        # Only the page itself is put in order again.
        assert plan.count("USE TEMP B-TREE") == 1
    else:
        assert f"Index Only Scan Backward using {index}" in plan


def test_a_page_far_out_still_knows_the_total(cast: Cast) -> None:
    page = lists.page(Proof.of(cast.ada), lists.Filter(), limit=2, offset=100)
    assert (list(page.rows), page.total) == ([], 4)
    assert lists.page(Proof.of(cast.olga), lists.Filter(), limit=2, offset=0).total == 0


def test_several_accounts_are_one_list_page_by_page(cast: Cast) -> None:
    with transaction():
        fans = [Fan(account_id=cast.beas_account.id, platform_id=f"6{n}", name=f"Bea's {n}") for n in range(5)]
        db.session.add_all(fans)
    for minute, fan in enumerate([*fans, *cast.fans[:3]]):
        at = datetime(2026, 11, 1, 12, minute * 7 % 8, tzinfo=UTC)
        conversations.touch(conversations.open_with(fan).id, f"at {at.minute}", at)
    pages = [lists.page(Proof.of(cast.max), lists.Filter(), 3, offset) for offset in (0, 3, 6, 9)]
    said = [row.last_message for page in pages for row in page.rows]
    assert said == [f"at {minute}" for minute in reversed(range(8))] + [""]
    assert [page.total for page in pages] == [9] * 4
    owners = {(row.account_id, row.owner_id) for page in pages for row in page.rows}
    assert owners == {(cast.account.id, cast.ada.id), (cast.beas_account.id, cast.bea.id)}
