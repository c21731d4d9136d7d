"""What happened on the platform is what we know in the end, in whatever order and however often we hear of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from app.accounts.models import Account
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings.models import StaleDay, Transaction
from app.extensions import db
from app.fans.models import Fan
from app.inbound.models import MessageMark, Outcome, SubscriptionMark, WebhookEvent
from app.messages import service as messages
from app.messages.models import Attempt, Message, Status
from app.messages.models import Outcome as Ended
from app.messages.rules import Draft
from tests.inbound import told
from tests.inbound.told import message, state, subscription, tell, unlock, work_off
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
Step = tuple[str, Any]


def _step(kind: str, number: int, fan: int, second: int) -> Step:
    make: dict[str, Callable[[], Any]] = {
        "messages.received": lambda: message(number, fan, second),
        "messages.sent": lambda: message(number, fan, second, by_us=True),
        "messages.deleted": lambda: {"id": 5_000_000_000_000 + number // 2},
        "messages.ppv.unlocked": lambda: unlock(number // 2, fan, second),
        "subscriptions.new": lambda: subscription(fan, second),
        "subscriptions.expired": lambda: subscription(fan, second),
        "tips.received": lambda: subscription(fan, second) | {"amountGross": 8},
        "transactions.new": lambda: told.transaction(number, fan, second, number + 0.99),
        "posts.liked": lambda: {"id": number},
        "something.unheard_of": lambda: None,
    }
    return kind, make[kind]()


KINDS = ("messages.received",) * 4 + (
    "messages.sent",
    "messages.deleted",
    "messages.ppv.unlocked",
    "subscriptions.new",
    "subscriptions.expired",
    "tips.received",
    "transactions.new",
    "posts.liked",
    "something.unheard_of",
)


def _story(random: Random) -> list[Step]:
    """Much of everything, between few people, in so little time that moments are shared."""
    return [
        _step(random.choice(KINDS), number, random.choice((1001, 7001)), random.randrange(12)) for number in range(40)
    ]


def _forget() -> None:
    """Back to where a story begins."""
    with transaction():
        tables = (WebhookEvent, MessageMark, SubscriptionMark, Transaction, StaleDay, Attempt, Message)
        for table in tables:
            db.session.execute(delete(table))
        db.session.execute(delete(Conversation).where(Conversation.fan_id.in_(select(Fan.id).where(_new()))))
        db.session.execute(delete(Fan).where(_new()))
        for fan in db.session.scalars(select(Fan)):
            fan.status, fan.last_seen_at, fan.value_cents = "active", None, 0
        for thread in db.session.scalars(select(Conversation)):
            thread.last_message, thread.last_message_at, thread.last_direction, thread.unread_count = "", None, None, 0


def _new() -> Any:
    return Fan.platform_id.in_(["7001"])


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_any_order_doubled_and_late_ends_like_the_story_as_it_happened(cast: Cast, seed: int) -> None:
    random, ends = Random(seed), list[dict[str, Any]]()
    story = _story(random)
    for shuffled in (False, True):
        _forget()
        deliveries = [(f"evt_{number}", *step) for number, step in enumerate(story)]
        if shuffled:
            deliveries += random.sample(deliveries, len(deliveries) // 2)
            random.shuffle(deliveries)
        for place, (key, event, payload) in enumerate(deliveries):
            tell(event, payload, key)
            if shuffled and place % 3 == 0:
                work_off()
        work_off()
        ends.append(state(cast.account))
        assert db.session.scalar(select(func.count()).select_from(WebhookEvent)) == len(story)
    assert ends[0] == ends[1]


def test_a_fans_message_is_new_unread_and_the_conversations_last(cast: Cast) -> None:
    before = cast.conversations[0].version
    tell("messages.received", message(1, 1001, 5, text="<p>Hi &amp; hello<br>you</p>"), "evt_1")
    work_off()
    row = db.session.scalars(select(Message)).one()
    assert (row.direction, row.status, row.read, row.text) == ("in", Status.RECEIVED, False, "Hi & hello\nyou")
    assert row.markup == "<p>Hi &amp; hello<br>you</p>"
    thread = db.session.get_one(Conversation, cast.conversations[0].id)
    assert (thread.unread_count, thread.last_message, thread.last_direction) == (1, "Hi & hello\nyou", "in")
    assert thread.version > before


def test_an_unknown_fan_is_known_from_their_first_word_on_and_linked_by_handle(cast: Cast) -> None:
    nora = cast.fans[-1]
    author = {"id": 7009, "username": "Nora_Nowhere", "name": "Nora"}
    tell("messages.received", message(1, 7009, 5, fromUser=author))
    tell("messages.received", message(2, 7010, 5))
    work_off()
    assert db.session.get_one(Fan, nora.id).platform_id == "7009"
    fresh = db.session.scalars(select(Fan).where(Fan.platform_id == "7010")).one()
    assert (fresh.name, fresh.handle) == ("Fan 7010", "fan_7010")


def test_whoever_was_imported_is_one_person_also_when_the_handle_comes_last(cast: Cast) -> None:
    tell("messages.received", message(1, 7009, 5, fromUser={"id": 7009}))
    work_off()
    tell("subscriptions.new", subscription(7009, 9) | {"user": {"id": 7009, "username": "nora_nowhere"}})
    work_off()
    nora = db.session.scalars(select(Fan).where(Fan.handle == "nora_nowhere")).one()
    assert (nora.platform_id, nora.name) == ("7009", "Nameless Nora")
    assert db.session.scalars(select(Message)).one().fan_id == nora.id


def _called(cast: Cast, status: Status) -> Message:
    row = messages.send(cast.ada, cast.conversations[0].id, Draft(text="Hello <you> & me"))
    with transaction():
        moment = datetime(2026, 11, 1, 12, 0, 3, tzinfo=UTC)
        row.status, row.claim_id, row.lease_until = status, "c1", moment + timedelta(seconds=60)
        db.session.add(
            Attempt(message_id=row.id, account_id=row.account_id, fan_id=row.fan_id, claim_id="c1", key="k",
                    started_at=moment)
        )  # fmt: skip
    return row


@pytest.mark.parametrize("status", [Status.SENDING, Status.UNKNOWN, Status.FAILED, Status.QUEUED])
def test_our_own_echo_settles_a_send_whose_answer_was_lost(cast: Cast, status: Status) -> None:
    row = _called(cast, status)
    tell("messages.sent", message(1, 1001, 4, by_us=True, text="<p>Hello &lt;you&gt; &amp; me</p>"))
    work_off()
    settled = db.session.scalars(select(Message)).one()
    assert (settled.id, settled.status, settled.platform_message_id) == (row.id, Status.SENT, "5000000000001")
    assert db.session.scalars(select(Attempt)).one().finished_at is not None


def test_an_echo_is_the_retrys_and_not_of_what_was_refused(cast: Cast) -> None:
    refused, retried = _called(cast, Status.FAILED), _called(cast, Status.SENDING)
    with transaction():
        first = db.session.scalars(select(Attempt).where(Attempt.message_id == refused.id)).one()
        first.finished_at, first.outcome = first.started_at, Ended.REFUSED
    tell("messages.sent", message(1, 1001, 4, by_us=True, text="<p>Hello &lt;you&gt; &amp; me</p>"))
    work_off()
    settled = db.session.scalars(select(Message).where(Message.status == Status.SENT)).one()
    assert (settled.id, settled.platform_message_id) == (retried.id, "5000000000001")


def test_a_message_from_the_phone_is_a_sent_one_of_nobodys_here(cast: Cast) -> None:
    messages.send(cast.ada, cast.conversations[0].id, Draft(text="Line 1"))
    tell("messages.sent", message(1, 1001, 4, by_us=True))
    work_off()
    waiting, phone = db.session.scalars(select(Message).order_by(Message.id)).all()
    assert waiting.status == Status.QUEUED
    assert (phone.status, phone.direction, phone.author_id, phone.text) == (Status.SENT, "out", None, "Line 1")


def test_an_echo_that_may_be_ours_waits_for_the_answer_of_the_call_under_way(cast: Cast) -> None:
    _called(cast, Status.SENDING)
    tell("messages.sent", message(1, 1001, 4, by_us=True, text="<p>Changed on its way</p>"))
    work_off()
    assert db.session.scalars(select(Message)).one().status == Status.SENDING
    event = db.session.scalars(select(WebhookEvent)).one()
    assert (event.done_at, event.attempts) == (None, 0)
    assert event.try_at > event.received_at


def _reconnect(account: Account) -> bool:
    return db.session.get_one(Account, account.id, populate_existing=True).reconnect_since is not None


def test_the_newest_word_about_a_login_counts(cast: Cast) -> None:
    tell("accounts.session_expired", {"createdAt": told.at(10)})
    work_off()
    assert _reconnect(cast.account)
    assert not _reconnect(cast.beas_account)
    tell("accounts.reconnected", {"createdAt": told.at(20)})
    work_off()
    assert not _reconnect(cast.account)
    tell("accounts.disconnected", {"createdAt": told.at(15)})
    work_off()
    assert not _reconnect(cast.account)


def test_what_cannot_be_used_is_kept_and_counted(cast: Cast) -> None:
    tell("messages.received", {"id": "no message"}, "evt_a")
    tell("messages.received", message(1, 1001, 5), "evt_b", account="acct_of_nobody")
    tell("chat_queue.updated", {"id": 1}, "evt_c")
    work_off()
    found = {event.key: event.outcome for event in db.session.scalars(select(WebhookEvent))}
    assert found == {"evt_a": Outcome.UNREADABLE, "evt_b": Outcome.STRANGER, "evt_c": Outcome.IGNORED}
    assert db.session.scalar(select(func.count()).select_from(Message)) == 0
