"""Who is next: in which order rows are claimed, what holds them back, and that nobody gets one twice."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, event, select

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import database_now, transaction
from app.delivery import stop
from app.extensions import db
from app.fans import service as fans
from app.messages import claims, handover, outcomes, service
from app.messages.claims import Envelope
from app.messages.models import Message, Priority, Step
from app.messages.outcomes import Failed, Later, Sent, Unknown
from app.messages.rules import Draft
from tests.messages import line
from tests.messages.line import change, fresh, must_claim, must_claim_chore, queue
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")
HOUR = timedelta(hours=1)


def test_a_claim_writes_down_what_is_about_to_happen(cast: Cast) -> None:
    message = queue(cast.ada, cast.conversations[0], "Hi")
    envelope = must_claim(cast.account)
    (attempt,) = line.attempts(message)
    fresh(message)
    assert (message.status, message.claims, message.attempts) == ("sending", 1, 1)
    assert (message.claim_id, attempt.claim_id) == (envelope.claim_id, envelope.claim_id)
    assert message.lease_until == envelope.claimed_at + claims.LEASE
    assert (attempt.started_at, attempt.finished_at, attempt.key) == (envelope.claimed_at, None, message.public_id)
    assert (envelope.text, envelope.chat, envelope.platform_account) == ("Hi", "1001", "acct_demo_ada")
    assert (envelope.attempts, envelope.key, envelope.step) == (1, message.public_id, Step.SEND)


def test_priority_goes_first_then_the_due_time_then_the_number(cast: Cast) -> None:
    tom, uma, vic = cast.conversations[:3]
    low = queue(cast.ada, tom, "low", priority=Priority.LOW)
    normal = queue(cast.ada, uma, "normal", priority=Priority.NORMAL)
    second, first, third = (queue(cast.ada, conversation) for conversation in (tom, uma, vic))
    moment = database_now() - HOUR
    change(first, due_at=moment - HOUR)
    for message in (second, third):
        change(message, due_at=moment)
    claimed = [must_claim(cast.account).message_id for _ in range(5)]
    assert claimed == [message.id for message in (first, second, third, normal, low)]


def test_an_unfinished_message_holds_back_those_behind_it(cast: Cast) -> None:
    results: tuple[tuple[outcomes.Result, bool], ...] = (
        (Later(Step.SEND, 3600, "not yet"), False),
        (Later(Step.LOOK_UP, 0, "unclear", unclear=True), False),
        (Sent("77"), True),
        (Failed("no"), True),
        (Unknown("who knows"), True),
    )
    for conversation, (result, lets_go) in zip(_conversations(cast.ada, len(results)), results, strict=True):
        queue(cast.ada, conversation, "first")
        behind = queue(cast.ada, conversation, "second")
        envelope = must_claim(cast.account)
        assert line.claim(cast.account) is None
        outcomes.record([(envelope, result)])
        following = line.claim(cast.account)
        assert (following is not None and following.message_id == behind.id) == lets_go, result


def _conversations(author: User, number: int) -> list[Conversation]:
    with transaction():
        account_id = accounts.visible(author)[0].id
        return [conversations.open_with(fans.ensure(account_id, str(7000 + each))) for each in range(number)]


def test_it_holds_back_only_its_own_conversation_and_priority(cast: Cast) -> None:
    tom, uma = cast.conversations[:2]
    queue(cast.ada, tom, "begun")
    must_claim(cast.account)
    queue(cast.ada, tom, "behind it")
    other_fan, other_priority = queue(cast.ada, uma), queue(cast.ada, tom, priority=Priority.LOW)
    assert [must_claim(cast.account).message_id for _ in range(2)] == [other_fan.id, other_priority.id]
    assert line.claim(cast.account) is None


def test_uploads_hold_back_what_was_written_after_them(cast: Cast) -> None:
    with_picture = queue(cast.ada, cast.conversations[0], media=("https://cdn.example.com/a.jpg",))
    queue(cast.ada, cast.conversations[0], "look at it")
    assert line.claim(cast.account) is None
    assert must_claim_chore().message_id == with_picture.id


def test_what_is_held_scheduled_or_canceled_holds_nothing_back(cast: Cast) -> None:
    off: tuple[dict[str, object], ...] = ({"held": True}, {"status": "scheduled"}, {"status": "canceled"})
    for conversation, values in zip(cast.conversations, off, strict=False):
        earlier, behind = queue(cast.ada, conversation), queue(cast.ada, conversation)
        change(earlier, **values)
        assert must_claim(cast.account).message_id == behind.id
        assert line.claim(cast.account) is None


def test_nothing_is_claimed_that_may_not_go_now(cast: Cast) -> None:
    later = database_now() + HOUR
    held = {"held": True, "next_step": Step.SEND}
    of_the_message = ({"received_at": None}, {"due_at": later}, {"next_attempt_at": later}, held)
    of_the_account = ({"stopped_at": later}, {"paused_until": later}, {"reconnect_since": later})
    for step, conversation in zip((Step.SEND, Step.LOOK_UP), cast.conversations, strict=False):
        message = queue(cast.ada, conversation)
        change(message, next_step=step)
        for values in of_the_message:
            with _changed(message, values):
                _assert_nothing_goes(message)
        for values in of_the_account:
            with _changed(cast.account, values):
                _assert_nothing_goes(message)
        stop.set_stop(None)
        _assert_nothing_goes(message)
        stop.clear_stop(None)
        assert len(claims.claim_chores(16)) + (line.claim(cast.account) is not None) == 1


def test_what_is_held_is_looked_up_all_the_same(cast: Cast) -> None:
    message = queue(cast.ada, cast.conversations[0])
    change(message, next_step=Step.LOOK_UP, held=True)
    assert must_claim_chore().message_id == message.id


def _assert_nothing_goes(message: Message) -> None:
    assert claims.claim_next([message.account_id])[0] == []
    assert claims.claim_chores(16) == []
    assert fresh(message).claims == 0
    assert line.attempts(message) == []


@contextmanager
def _changed(row: Message | Account, values: Mapping[str, object]) -> Iterator[None]:
    db.session.refresh(row)
    before = {name: getattr(row, name) for name in values}
    for wanted in (values, before):
        with transaction():
            for name, value in wanted.items():
                setattr(row, name, value)
        if wanted is values:
            yield


def test_a_pause_that_is_over_holds_nothing_back(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0])
    with transaction():
        cast.account.paused_until = database_now() - HOUR
    must_claim(cast.account)


def test_accounts_are_claimed_for_side_by_side(cast: Cast) -> None:
    for author, account in ((cast.ada, cast.account), (cast.bea, cast.beas_account)):
        message = service.send_to_recipient(author, account.id, "5001", Draft("Hi"))
        handover.mark_received([message.public_id])
    both = [cast.account.id, cast.beas_account.id]
    envelopes, idle = claims.claim_next([*both, cast.eves_account.id])
    assert sorted(envelope.account_id for envelope in envelopes) == both
    assert [(one.account_id, one.delay, one.blocked) for one in idle] == [(cast.eves_account.id, None, False)]


def test_an_idle_account_says_when_to_look_again(cast: Cast) -> None:
    assert line.idle(cast.account) == claims.Idle(cast.account.id, None, blocked=False)
    message = queue(cast.ada, cast.conversations[0])
    change(message, next_attempt_at=database_now() + timedelta(seconds=30))
    waiting = line.idle(cast.account)
    assert waiting.blocked
    assert waiting.delay is not None
    assert 28 < waiting.delay <= 30
    change(message, next_attempt_at=None)
    must_claim(cast.account)
    queue(cast.ada, cast.conversations[0], "behind the one in the air")
    assert line.idle(cast.account) == claims.Idle(cast.account.id, None, blocked=True)


def test_a_claim_costs_the_same_number_of_queries_however_many_accounts(cast: Cast) -> None:
    all_accounts = [cast.account, cast.beas_account, cast.eves_account]
    costs = []
    for some in (all_accounts[:1], all_accounts):
        for author, account in zip((cast.ada, cast.bea, cast.eve), some, strict=False):
            message = service.send_to_recipient(author, account.id, "5001", Draft("Hi"), public_id=None)
            handover.mark_received([message.public_id])
        with count_queries() as statements:
            envelopes, _ = claims.claim_next([account.id for account in some])
        assert len(envelopes) == len(some)
        outcomes.record([(envelope, Sent(envelope.public_id)) for envelope in envelopes])
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 5


def test_many_threads_claim_every_row_once(app: Flask, cast: Cast) -> None:
    waiting = [queue(cast.ada, conversation) for conversation in _conversations(cast.ada, 24)]
    claimed: list[Envelope] = []
    together = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            together.wait(5)
            for _ in range(24):
                claimed.extend(claims.claim_next([cast.account.id])[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(envelope.message_id for envelope in claimed) == [message.id for message in waiting]
    assert all(len(line.attempts(message)) == 1 for message in waiting)


@contextmanager
def _meanwhile(beginning: str, statement: str) -> Iterator[None]:
    """Run `statement` just before the first one that begins like `beginning`: somebody else was quicker."""
    done: list[str] = []

    def interfere(connection: Connection, cursor: object, executed: str, *_rest: object) -> None:
        if executed.startswith(beginning) and not done:
            done.append(executed)
            connection.exec_driver_sql(statement)

    event.listen(Engine, "before_cursor_execute", interfere)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", interfere)
    assert done


def test_a_row_that_changed_since_it_was_chosen_is_not_taken(cast: Cast) -> None:
    for conversation, what_others_did in zip(_conversations(cast.ada, 5), CHANGES_OF_OTHERS, strict=True):
        message = queue(cast.ada, conversation)
        with _meanwhile("UPDATE message SET status", f"UPDATE message SET {what_others_did} WHERE id = {message.id}"):
            assert line.claim(cast.account) is None, what_others_did
        assert line.attempts(message) == []
        change(message, status="canceled")


CHANGES_OF_OTHERS = (
    "status = 'canceled'",
    "status = 'sending', claim_id = 'other'",
    "next_step = 'look_up', attempts = 1",
    "next_attempt_at = '2099-01-01 00:00:00.000000'",
    "held = true",
)


def test_claiming_changes_the_conversations_version(cast: Cast, conversation: Conversation) -> None:
    queue(cast.ada, conversation)
    db.session.refresh(conversation)
    before = conversation.version
    must_claim(cast.account)
    assert db.session.scalar(select(Conversation.version).where(Conversation.id == conversation.id)) == before + 1
