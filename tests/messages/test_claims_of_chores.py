"""Uploads and look-ups are claimed too: one an account at a time, for as long as they may take."""

from datetime import timedelta

import pytest

from app.conversations.models import Conversation
from app.db import database_now, transaction
from app.extensions import db
from app.messages import claims, handover, outcomes, service
from app.messages.models import Message, Step
from app.messages.outcomes import Later
from app.messages.rules import Draft
from tests.messages import line
from tests.messages.line import change, fresh, must_claim, must_claim_chore, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


def test_a_chore_is_claimed_once_and_keeps_its_account_from_a_second(cast: Cast) -> None:
    for number in range(2):
        queue(cast.ada, cast.conversations[number], media=(f"https://cdn.example.com/{number}.jpg",))
    first = must_claim_chore()
    assert claims.claim_chores(16) == []
    outcomes.record([(first, Later(Step.UPLOAD, 3600, "later"))])
    assert must_claim_chore().message_id != first.message_id


def test_a_chore_of_a_worker_that_has_gone_is_claimed_again(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0], media=("https://cdn.example.com/a.jpg",))
    first = must_claim_chore()
    line.pass_time(claims.CHORE_LEASE + timedelta(seconds=1))
    second = must_claim_chore()
    assert (second.message_id, second.claim_id != first.claim_id) == (first.message_id, True)
    assert fresh(db.session.get_one(Message, first.message_id)).claims == 2


def test_a_chore_put_off_counts_as_never_begun(cast: Cast) -> None:
    message = queue(cast.ada, cast.conversations[0], media=("https://cdn.example.com/a.jpg",))
    claims.put_off([must_claim_chore()], 60)
    fresh(message)
    assert (message.claims, message.claim_id, message.lease_until) == (0, None, None)
    assert claims.claim_chores(16) == []
    line.pass_time(timedelta(seconds=61))
    must_claim_chore()


def test_one_accounts_uploads_hide_nobody_elses(cast: Cast) -> None:
    for number in range(20):
        queue(cast.ada, cast.conversations[number % 3], media=(f"https://cdn.example.com/{number}.jpg",))
    message = service.send_to_recipient(cast.bea, None, "5001", Draft("Hi"))
    handover.mark_received([message.public_id])
    change(message, next_step=Step.LOOK_UP, next_attempt_at=database_now())
    assert {envelope.account_id for envelope in claims.claim_chores(16)} == {cast.account.id, cast.beas_account.id}


def test_a_look_up_knows_whether_the_chat_was_unread(cast: Cast, conversation: Conversation) -> None:
    queue(cast.ada, conversation)
    outcomes.record([(must_claim(cast.account), Later(Step.LOOK_UP, 0, "unclear", unclear=True))])
    with transaction():
        conversation.unread_count = 2
    envelope = must_claim_chore()
    assert (envelope.chat_unread, envelope.step, envelope.attempts) == (True, Step.LOOK_UP, 1)
    assert envelope.first_unclear_at is not None
