"""What couriers report is written down: the message, and what follows for its account, its fan and its media."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import connection
from app.accounts.models import Account
from app.clock import now
from app.db import database_now
from app.delivery import recorder
from app.delivery.courier import ATTEMPTS, Pause, Report
from app.extensions import db
from app.fans.models import Fan
from app.gateways.answers import ChatMessage
from app.messages import media
from app.messages.claims import Envelope
from app.messages.models import Message, Step
from app.messages.outcomes import Failed, Later, Sent, Uploaded
from tests.messages.line import attempts, fresh, must_claim, must_claim_chore, queue
from tests.support.cast import Cast

UNCLEAR = Later(Step.LOOK_UP, 0, "no answer", unclear=True)
NOT_FOUND = Later(Step.SEND, 0, "nothing there")


def _claimed(cast: Cast, conversation: int = 0, text: str = "Hello!") -> tuple[Message, Envelope]:
    message = queue(cast.ada, cast.conversations[conversation], text)
    envelope = must_claim(cast.account)
    assert envelope.message_id == message.id
    return message, envelope


def _account(cast: Cast) -> Account:
    db.session.refresh(cast.account)
    return cast.account


def _in_chat(number: str) -> ChatMessage:
    return ChatMessage(id=number, text="Hello!", price_cents=0, media=0, sent_by_us=True, created_at=now())


def _to_be_looked_up(cast: Cast) -> tuple[Message, Envelope]:
    message, envelope = _claimed(cast)
    recorder.record([Report(envelope, UNCLEAR, "unclear")])
    return message, must_claim_chore()


@pytest.mark.usefixtures("any_database")
def test_reports_of_all_kinds_are_written_down_together(cast: Cast) -> None:
    (sent, first), (failed, second), (unclear, third) = (_claimed(cast, number) for number in range(3))
    recorder.record(
        [
            Report(first, Sent("900", 200), "clear"),
            Report(second, Failed("no", "CODE", 400), "clear"),
            Report(third, UNCLEAR, "unclear"),
        ]
    )
    assert [fresh(message).status for message in (sent, failed, unclear)] == ["sent", "failed", "queued"]
    assert (sent.platform_message_id, failed.error, unclear.next_step) == ("900", "no", "look_up")


@pytest.mark.usefixtures("any_database")
def test_what_was_written_down_may_be_written_down_again(cast: Cast) -> None:
    message, envelope = _claimed(cast)
    report = Report(envelope, Sent("900", 200), "clear")
    for _ in range(3):
        recorder.record([report])
    assert (fresh(message).status, len(attempts(message))) == ("sent", 1)


def test_nothing_to_write_down_is_no_fault(cast: Cast) -> None:
    recorder.record([])


def test_while_the_database_is_away_a_report_can_wait(cast: Cast) -> None:
    message, envelope = _claimed(cast)
    report = Report(envelope, Sent("900", 200), "clear", pause=Pause("slow down", 60))
    db.session.execute(text("ALTER TABLE message RENAME TO message_away"))
    db.session.commit()
    with pytest.raises(SQLAlchemyError):
        recorder.record([report])
    db.session.rollback()
    db.session.execute(text("ALTER TABLE message_away RENAME TO message"))
    db.session.commit()
    assert _account(cast).paused_until is None
    recorder.record([report])
    assert fresh(message).status == "sent"
    assert _account(cast).paused_until is not None


@pytest.mark.usefixtures("any_database")
def test_a_platform_id_that_is_taken_leaves_its_own_message_alone_unknown(cast: Cast) -> None:
    _, first = _claimed(cast)
    recorder.record([Report(first, Sent("900"), "clear")])
    (taken, second), (fine, third) = _claimed(cast, 1), _claimed(cast, 2)
    recorder.record([Report(second, Sent("900"), "clear"), Report(third, Sent("901"), "clear")])
    assert (fresh(taken).status, taken.error_code, taken.platform_message_id) == ("unknown", "ID_TAKEN", None)
    assert fresh(fine).status == "sent"


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_what_the_database_refuses_leaves_its_own_message_alone_unknown(cast: Cast) -> None:
    (bad, first), (fine, second) = _claimed(cast), _claimed(cast, 1)
    unwritable = Failed("a reason with \x00", "CODE", 10**6)
    recorder.record([Report(first, unwritable, "clear"), Report(second, Sent("901"), "clear")])
    assert (fresh(bad).status, bad.error_code) == ("unknown", "UNSTORABLE")
    assert fresh(fine).status == "sent"


@pytest.mark.usefixtures("any_database")
def test_a_message_that_is_found_in_its_chat_was_sent(cast: Cast) -> None:
    message, envelope = _to_be_looked_up(cast)
    recorder.record([Report(envelope, NOT_FOUND, "silent", found=[_in_chat("902"), _in_chat("901")])])
    # Newest first: the oldest that fits is the one that was looked for.
    assert (fresh(message).status, message.platform_message_id) == ("sent", "901")


@pytest.mark.usefixtures("any_database")
def test_what_belongs_to_another_row_is_not_this_one(cast: Cast) -> None:
    _, other = _claimed(cast)
    recorder.record([Report(other, Sent("901"), "clear")])
    message, envelope = _to_be_looked_up(cast)
    recorder.record([Report(envelope, NOT_FOUND, "silent", found=[_in_chat("901")])])
    assert (fresh(message).status, message.next_step) == ("queued", "send")


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize(("used", "status"), [(ATTEMPTS, "failed"), (ATTEMPTS - 1, "queued")])
def test_nothing_of_its_own_after_the_last_attempt_is_failed(cast: Cast, used: int, status: str) -> None:
    _, other = _claimed(cast)
    recorder.record([Report(other, Sent("901"), "clear")])
    message, envelope = _to_be_looked_up(cast)
    looked = replace(envelope, attempts=used)
    recorder.record([Report(looked, NOT_FOUND, "silent", found=[_in_chat("901")])])
    assert fresh(message).status == status


@pytest.mark.usefixtures("any_database")
def test_a_pause_is_its_accounts(cast: Cast) -> None:
    message, envelope = _claimed(cast)
    later = Later(Step.SEND, 45, "slow down", "RATE", 429, counted=False)
    recorder.record([Report(envelope, later, "clear", pause=Pause("slow down", 45))])
    until = _account(cast).paused_until
    assert until is not None
    assert timedelta(seconds=40) < until - database_now() <= timedelta(seconds=45)
    assert (fresh(message).status, message.attempts) == ("queued", 0)
    db.session.refresh(cast.beas_account)
    assert cast.beas_account.paused_until is None


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("whole_key", [False, True])
def test_a_refused_login_stops_its_account_or_all_of_the_key(cast: Cast, whole_key: bool) -> None:
    _, envelope = _claimed(cast)
    later = Later(Step.SEND, 0, "sign in", "", 401, counted=False, new_key=True)
    recorder.record([Report(envelope, later, "clear", pause=Pause("sign in", whole_key=whole_key))])
    assert _account(cast).reconnect_since is not None
    assert cast.account.probe_at is not None
    db.session.refresh(cast.beas_account)
    assert (cast.beas_account.reconnect_since is not None) is whole_key


@pytest.mark.usefixtures("any_database")
def test_a_delivery_lets_a_later_refusal_be_probed_soon(cast: Cast) -> None:
    connection.require_reconnect(cast.account.id, "sign in")
    connection.reconnected([cast.account.id])
    assert _account(cast).probes == 1
    _, envelope = _claimed(cast)
    recorder.record([Report(envelope, Failed("no"), "clear")])
    assert _account(cast).probes == 1
    _, envelope = _claimed(cast)
    recorder.record([Report(envelope, Sent("900"), "clear")])
    assert _account(cast).probes == 0


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("unreachable", [True, False])
def test_a_fan_who_can_not_be_reached_is_marked(cast: Cast, unreachable: bool) -> None:
    _, envelope = _claimed(cast)
    refused = Failed("Cannot send message to this user", "", 400)
    recorder.record([Report(envelope, refused, "clear", unreachable_fan=unreachable)])
    tom, uma = (db.session.get_one(Fan, fan.id, populate_existing=True) for fan in cast.fans[:2])
    assert ((tom.unreachable_at is not None), uma.unreachable_at) == (unreachable, None)


def _refuse(cast: Cast, *conversations: int, status: int = 403) -> None:
    for conversation in conversations:
        _, envelope = _claimed(cast, conversation)
        recorder.record([Report(envelope, Failed("no", "", status), "clear")])


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("status", [403, 404])
def test_three_fans_in_a_row_that_are_forbidden_stop_the_account_until_a_person_looks(cast: Cast, status: int) -> None:
    _refuse(cast, 0, 1, status=status)
    assert _account(cast).reconnect_since is None
    _refuse(cast, 2, status=status)
    assert _account(cast).reconnect_since is not None
    assert cast.account.probe_at is None
    assert "three fans in a row" in (cast.account.pause_reason or "")


@pytest.mark.usefixtures("any_database")
def test_one_fan_three_times_or_a_success_between_stops_nothing(cast: Cast) -> None:
    _refuse(cast, 0, 0, 0, 1)
    _, envelope = _claimed(cast, 0)
    recorder.record([Report(envelope, Sent("900", 200), "clear")])
    _refuse(cast, 2, 2)
    assert _account(cast).reconnect_since is None
    _refuse(cast, 0, 1, 2, status=400)
    assert _account(cast).reconnect_since is None


@pytest.mark.usefixtures("any_database")
def test_media_that_went_up_are_kept_even_when_the_rest_did_not(cast: Cast) -> None:
    beach, sunset = (f"https://cdn.example.com/{name}.jpg" for name in ("beach", "sunset"))
    message = queue(cast.ada, cast.conversations[0], media=(beach, sunset))
    envelope = must_claim_chore()
    later = Later(Step.UPLOAD, 0, "busy", unreadable=True)
    recorder.record([Report(envelope, later, "silent", uploads={beach: "701"})])
    again = must_claim_chore()
    assert media.known(again) == {beach: "701"}
    recorder.record([Report(again, Uploaded([701, 702]), "silent", uploads={sunset: "702"})])
    assert (fresh(message).media_ids, message.next_step) == ([701, 702], "send")
