"""What becomes of a claimed message: every end written down, and a late one never over a newer."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Account
from app.conversations.models import Conversation
from app.db import database_now, transaction
from app.extensions import db
from app.messages import outcomes, upkeep
from app.messages.models import Attempt, Message, Step
from app.messages.outcomes import Failed, Later, Sent, Unknown, Uploaded
from tests.messages import line
from tests.messages.line import attempts, change, fresh, must_claim, must_claim_chore, queue
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")
UNCLEAR = Later(Step.LOOK_UP, 0, "no answer", unclear=True)
UNREADABLE = Later(Step.LOOK_UP, 0, "no chat", counted=False, unclear=True, unreadable=True)


@pytest.fixture
def message(cast: Cast) -> Message:
    """A message that may go."""
    return queue(cast.ada, cast.conversations[0])


def test_what_was_sent_is_sent(message: Message, account: Account) -> None:
    envelope = must_claim(account)
    change(message, error="of the attempt before", error_code="OLD")
    outcomes.record([(envelope, Sent("901", 200))])
    (attempt,) = attempts(message)
    fresh(message)
    assert (message.status, message.platform_message_id, message.attempts, message.claims) == ("sent", "901", 1, 0)
    assert (message.claim_id, message.lease_until, message.error, message.error_code) == (None, None, None, None)
    assert (attempt.outcome, attempt.status_code, attempt.counted) == ("delivered", 200, True)
    assert message.sent_at == attempt.finished_at


def test_many_ends_are_written_in_one_go(cast: Cast) -> None:
    for conversation in cast.conversations[:3]:
        queue(cast.ada, conversation)
    envelopes = [must_claim(cast.account) for _ in range(3)]
    with count_queries() as statements:
        outcomes.record([(envelope, Sent(str(number))) for number, envelope in enumerate(envelopes)])
    rows = [db.session.get_one(Message, envelope.message_id, populate_existing=True) for envelope in envelopes]
    assert [(row.status, row.platform_message_id) for row in rows] == [("sent", "0"), ("sent", "1"), ("sent", "2")]
    assert len(statements) <= 5


def test_what_failed_says_why(message: Message, account: Account) -> None:
    outcomes.record([(must_claim(account), Failed("r" * 600, "CODE", 422))])
    (attempt,) = attempts(message)
    fresh(message)
    assert (message.status, message.error, message.error_code) == ("failed", "r" * 500, "CODE")
    assert message.failed_at is not None
    assert (attempt.outcome, attempt.status_code, attempt.counted) == ("refused", 422, True)


def test_what_nobody_knows_is_unknown(message: Message, account: Account) -> None:
    outcomes.record([(must_claim(account), Unknown("who knows"))])
    fresh(message)
    assert (message.status, message.error, message.failed_at) == ("unknown", "who knows", None)


def test_an_unclear_end_is_remembered_from_its_first_time_on(message: Message, account: Account) -> None:
    first = must_claim(account)
    outcomes.record([(first, Later(Step.LOOK_UP, 5, "no answer", "TIMEOUT", unclear=True))])
    fresh(message)
    assert (message.status, message.next_step, message.attempts) == ("queued", "look_up", 1)
    assert (message.first_unclear_at, message.error_code) == (first.claimed_at, "TIMEOUT")
    assert message.next_attempt_at is not None
    wait = (message.next_attempt_at - database_now()).total_seconds()
    assert 3 < wait <= 5
    change(message, next_step="send", next_attempt_at=None)
    outcomes.record([(must_claim(account), UNCLEAR)])
    assert fresh(message).first_unclear_at == first.claimed_at
    assert [(attempt.outcome, attempt.counted) for attempt in attempts(message)] == [("unclear", True)] * 2


def test_only_what_counts_uses_up_an_attempt(message: Message, account: Account) -> None:
    for _ in range(3):
        outcomes.record([(must_claim(account), Later(Step.SEND, 0, "slow down", status_code=429, counted=False))])
    outcomes.record([(must_claim(account), Later(Step.SEND, 0, "counted"))])
    assert fresh(message).attempts == 1
    assert [attempt.outcome for attempt in attempts(message)] == ["not_sent"] * 4


def test_a_stored_refusal_is_left_behind_by_a_new_key(message: Message, account: Account) -> None:
    first = must_claim(account)
    outcomes.record([(first, Later(Step.SEND, 0, "sign in", counted=False, new_key=True))])
    second = must_claim(account)
    assert (first.key, second.key) == (message.public_id, f"{message.public_id}-1")
    assert [attempt.key for attempt in attempts(message)] == [first.key, second.key]


def test_media_that_went_up_are_kept_for_the_call(cast: Cast) -> None:
    message = queue(cast.ada, cast.conversations[0], media=("https://cdn.example.com/a.jpg",))
    outcomes.record([(must_claim_chore(), Uploaded([11, "v-12"]))])
    fresh(message)
    assert (message.next_step, message.media_ids, message.claims, message.lease_until) == (
        "send",
        [11, "v-12"],
        0,
        None,
    )
    assert attempts(message) == []
    assert must_claim(cast.account).media_ids == [11, "v-12"]


def test_a_look_up_that_failed_gives_the_attempt_back(message: Message, account: Account) -> None:
    outcomes.record([(must_claim(account), UNCLEAR)])
    assert fresh(message).attempts == 1
    outcomes.record([(must_claim_chore(), UNREADABLE)])
    fresh(message)
    assert (message.attempts, message.status, message.next_step) == (0, "queued", "look_up")
    since = message.unreadable_since
    assert since is not None
    outcomes.record([(must_claim_chore(), UNREADABLE)])
    assert fresh(message).unreadable_since == since
    outcomes.record([(must_claim_chore(), Later(Step.SEND, 0, "nothing there"))])
    assert fresh(message).unreadable_since is None


def test_a_late_end_changes_nothing_once_the_claim_is_gone(message: Message, account: Account) -> None:
    lost = must_claim(account)
    line.pass_time(timedelta(seconds=61))
    assert upkeep.recover_leases() == 1
    looked_up = must_claim_chore()
    for late in LATE_ENDS:
        outcomes.record([(lost, late)])
        fresh(message)
        assert (message.status, message.next_step, message.claim_id) == ("queued", "look_up", looked_up.claim_id), late
    outcomes.record([(looked_up, Later(Step.SEND, 0, "nothing there"))])
    newer = must_claim(account)
    for late in LATE_ENDS:
        outcomes.record([(lost, late), (looked_up, late)])
        fresh(message)
        assert (message.status, message.claim_id, message.attempts) == ("sending", newer.claim_id, 2), late
    outcomes.record([(looked_up, UNREADABLE), (newer, UNCLEAR)])
    assert fresh(message).attempts == 2


def test_a_late_end_that_used_up_no_attempt_still_says_so(message: Message, account: Account) -> None:
    lost = must_claim(account)
    change(message, lease_until=database_now() - timedelta(seconds=1))
    upkeep.recover_leases()
    outcomes.record([(lost, Later(Step.SEND, 0, "not now", counted=False))])
    assert fresh(message).attempts == 0


LATE_ENDS = (Failed("late"), Unknown("late"), UNCLEAR, Later(Step.SEND, 0, "late"))


def test_only_sent_is_true_whoever_has_the_claim_by_now(message: Message, account: Account) -> None:
    lost = must_claim(account)
    line.pass_time(timedelta(seconds=61))
    upkeep.recover_leases()
    outcomes.record([(lost, Sent("902"))])
    assert fresh(message).status == "sent"
    change(message, status="unknown", platform_message_id=None)
    outcomes.record([(lost, Sent("902"))])
    assert fresh(message).status == "sent"


def test_what_arrived_after_all_is_not_failed_any_more(message: Message, account: Account) -> None:
    lost = must_claim(account)
    line.pass_time(timedelta(seconds=61))
    upkeep.recover_leases()
    outcomes.record([(must_claim_chore(), Failed("nothing there", "NOT_CONFIRMED"))])
    outcomes.record([(lost, Sent("904"))])
    fresh(message)
    assert (message.status, message.platform_message_id) == ("sent", "904")
    assert (message.failed_at, message.error, message.error_code) == (None, None, None)


def test_a_final_state_stays(message: Message, account: Account) -> None:
    envelope = must_claim(account)
    for status in ("sent", "canceled"):
        change(message, status=status, platform_message_id="900")
        for end in (*LATE_ENDS, Sent("901")):
            outcomes.record([(envelope, end)])
            assert (fresh(message).status, message.platform_message_id) == (status, "900")


def test_a_platform_id_belongs_to_one_message_of_the_account(cast: Cast) -> None:
    for conversation in cast.conversations[:2]:
        queue(cast.ada, conversation)
    first, second = must_claim(cast.account), must_claim(cast.account)
    outcomes.record([(first, Sent("903"))])
    with pytest.raises(IntegrityError):
        outcomes.record([(second, Sent("903"))])
    taken = outcomes.taken_platform_ids(cast.account.id, ["903", "904"], but=second.message_id)
    assert taken == {"903"}
    assert outcomes.taken_platform_ids(cast.account.id, ["903"], but=first.message_id) == set()
    assert outcomes.taken_platform_ids(cast.beas_account.id, ["903"], but=0) == set()


def test_the_conversation_is_seen_to_have_changed(message: Message, account: Account) -> None:
    envelope = must_claim(account)
    conversation = db.session.get_one(Conversation, message.conversation_id, populate_existing=True)
    before = conversation.version
    outcomes.record([(envelope, Sent("905"))])
    db.session.refresh(conversation)
    assert conversation.version == before + 1


def _others_were_answered(cast: Cast, *minutes_ago: int) -> None:
    now = database_now()
    other = queue(cast.ada, cast.conversations[1])
    with transaction():
        for minutes in minutes_ago:
            moment = now - timedelta(minutes=minutes)
            db.session.add(
                Attempt(
                    message_id=other.id,
                    account_id=other.account_id,
                    fan_id=other.fan_id,
                    claim_id="other",
                    key="other",
                    started_at=moment,
                    finished_at=moment,
                    status_code=200,
                )
            )


def test_a_chat_that_stays_unreadable_while_others_are_answered_leaves_it_unknown(cast: Cast) -> None:
    message = queue(cast.ada, cast.conversations[0])
    outcomes.record([(must_claim(cast.account), UNCLEAR)])
    outcomes.record([(must_claim_chore(), UNREADABLE)])
    line.pass_time(timedelta(minutes=16))
    outcomes.record([(must_claim_chore(), UNREADABLE)])
    assert fresh(message).status == "queued"
    _others_were_answered(cast, 1)
    outcomes.record([(must_claim_chore(), UNREADABLE)])
    assert fresh(message).status == "queued"
    _others_were_answered(cast, 16)
    outcomes.record([(must_claim_chore(), UNREADABLE)])
    fresh(message)
    assert (message.status, message.error_code) == ("unknown", "CHAT_UNREADABLE")


def test_three_fans_refused_in_a_row_are_noticed(cast: Cast) -> None:
    def refuse(number: int, status_code: int | None) -> bool:
        queue(cast.ada, cast.conversations[number], f"to {number}")
        end: outcomes.Result = UNCLEAR if status_code is None else Failed("no", status_code=status_code)
        outcomes.record([(must_claim(cast.account), end)])
        line.pass_time(timedelta(seconds=1))
        return outcomes.refused_in_a_row(cast.account.id, 3)

    assert not any(refuse(number, 403) for number in (0, 1, 1, 1))
    assert not refuse(2, 400)
    assert not any(refuse(number, 404) for number in (0, 1))
    assert not refuse(1, None)
    change(db.session.get_one(Message, 8), status="canceled")
    assert refuse(2, 403)
