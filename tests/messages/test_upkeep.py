"""What time does to messages: they fall due, leases run out, and what stays unclear becomes unknown."""

from datetime import timedelta

import pytest

from app.accounts.models import Account
from app.db import database_now
from app.messages import claims, outcomes, service, upkeep
from app.messages.models import Message, Step
from app.messages.outcomes import Later, Uploaded
from app.messages.rules import Draft
from tests.messages import line
from tests.messages.line import attempts, change, fresh, must_claim, must_claim_chore, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
UNCLEAR = Later(Step.LOOK_UP, 0, "no answer", unclear=True)
PICTURE = ("https://cdn.example.com/a.jpg",)


@pytest.fixture
def message(cast: Cast) -> Message:
    """A message that may go."""
    return queue(cast.ada, cast.conversations[0])


def test_what_is_scheduled_is_queued_when_its_time_has_come(cast: Cast) -> None:
    now = database_now()
    soon, later = (
        service.send(cast.ada, cast.conversations[0].id, Draft("Hi", scheduled_at=now + timedelta(minutes=minutes)))
        for minutes in (1, 60)
    )
    assert upkeep.promote_due() == 0
    line.pass_time(timedelta(minutes=2))
    assert (upkeep.promote_due(), upkeep.promote_due()) == (1, 0)
    assert [fresh(message).status for message in (soon, later)] == ["queued", "scheduled"]
    assert soon.queued_at is not None
    assert soon.queued_at > soon.due_at
    assert (soon.received_at, later.queued_at) == (None, None)


def test_a_message_whose_worker_has_gone_is_looked_up_first(message: Message, account: Account) -> None:
    envelope = must_claim(account)
    assert upkeep.recover_leases() == 0
    line.pass_time(timedelta(seconds=61))
    assert (upkeep.recover_leases(), upkeep.recover_leases()) == (1, 0)
    (attempt,) = attempts(message)
    fresh(message)
    assert (message.status, message.next_step, message.claim_id, message.claims) == ("queued", "look_up", None, 1)
    assert message.first_unclear_at == envelope.claimed_at - timedelta(seconds=61)
    assert (attempt.outcome, attempt.counted) == ("unclear", True)
    assert attempt.finished_at is not None
    looked_up = must_claim_chore()
    assert (looked_up.step, looked_up.attempts) == ("look_up", 1)


def test_five_workers_that_died_of_a_message_are_enough(message: Message, account: Account) -> None:
    for _ in range(4):
        must_claim(account)
        line.pass_time(timedelta(seconds=61))
        upkeep.recover_leases()
        assert fresh(message).status == "queued"
        change(message, next_step="send", next_attempt_at=None)
    must_claim(account)
    line.pass_time(timedelta(seconds=61))
    upkeep.recover_leases()
    fresh(message)
    assert (message.status, message.error_code, message.claim_id) == ("unknown", "POISON", None)


def test_an_end_of_its_own_makes_a_message_innocent_again(message: Message, account: Account) -> None:
    must_claim(account)
    line.pass_time(timedelta(seconds=61))
    upkeep.recover_leases()
    assert fresh(message).claims == 1
    outcomes.record([(must_claim_chore(), Later(Step.SEND, 0, "nothing there"))])
    assert fresh(message).claims == 0


def _die_over_chores(times: int) -> None:
    for _ in range(times):
        must_claim_chore()
        line.pass_time(claims.CHORE_LEASE + timedelta(seconds=1))


def test_uploads_that_kill_fail_as_nothing_was_sent(cast: Cast) -> None:
    message = queue(cast.ada, cast.conversations[0], media=PICTURE)
    _die_over_chores(4)
    assert upkeep.give_up_chores() == 0
    must_claim_chore()
    assert upkeep.give_up_chores() == 0
    line.pass_time(claims.CHORE_LEASE + timedelta(seconds=1))
    assert (upkeep.give_up_chores(), upkeep.give_up_chores()) == (1, 0)
    fresh(message)
    assert (message.status, message.error_code) == ("failed", "POISON")
    assert message.failed_at is not None


def test_look_ups_that_kill_leave_it_unknown(message: Message, account: Account) -> None:
    outcomes.record([(must_claim(account), UNCLEAR)])
    _die_over_chores(5)
    assert upkeep.give_up_chores() == 1
    fresh(message)
    assert (message.status, message.failed_at) == ("unknown", None)


def test_an_upload_that_ended_well_is_no_poison(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0], media=PICTURE)
    _die_over_chores(4)
    outcomes.record([(must_claim_chore(), Uploaded([1]))])
    line.pass_time(timedelta(hours=1))
    assert upkeep.give_up_chores() == 0


def test_what_stays_unclear_for_23_hours_is_unknown(cast: Cast, message: Message, account: Account) -> None:
    never_tried = queue(cast.ada, cast.conversations[1])
    outcomes.record([(must_claim(account), UNCLEAR)])
    line.pass_time(timedelta(hours=22, minutes=59))
    assert upkeep.expire_unclear() == 0
    line.pass_time(timedelta(minutes=2))
    assert (upkeep.expire_unclear(), upkeep.expire_unclear()) == (1, 0)
    fresh(message)
    assert (message.status, message.error_code, message.claim_id) == ("unknown", "KEY_EXPIRED", None)
    assert fresh(never_tried).status == "queued"
    assert claims.claim_chores(16) == []
