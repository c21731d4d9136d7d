"""The emergency stop: nothing is claimed while it is set, everything is kept, and who did it is written down."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEvent
from app.delivery import stop
from app.delivery.models import Stop
from app.extensions import db
from app.messages import claims, outcomes
from app.messages.models import Step
from app.messages.outcomes import Later, Sent
from tests.messages import line
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")


def _events() -> list[tuple[str, int | None]]:
    rows = db.session.execute(select(AuditEvent.action, AuditEvent.user_id).order_by(AuditEvent.id))
    return [(action, user) for action, user in rows if action.startswith("sending.")]


@pytest.mark.usefixtures("cast")
def test_it_is_off_until_it_is_set() -> None:
    assert not stop.is_stopped()
    stop.set_stop(None)
    assert stop.is_stopped()
    stop.clear_stop(None)
    assert not stop.is_stopped()


def test_while_it_is_set_messages_are_kept_and_nobodys_is_claimed(cast: Cast) -> None:
    stop.set_stop(cast.olga.id)
    own = line.queue(cast.ada, cast.conversations[0])
    other = line.queue(cast.eve, cast.eves_conversation)
    accounts = [cast.account.id, cast.eves_account.id]
    assert claims.claim_next(accounts)[0] == []
    assert (line.fresh(own).status, line.fresh(other).status) == ("queued", "queued")
    stop.clear_stop(cast.olga.id)
    envelopes, _ = claims.claim_next(accounts)
    assert {envelope.message_id for envelope in envelopes} == {own.id, other.id}


def test_it_holds_uploads_and_look_ups_too(cast: Cast) -> None:
    line.queue(cast.ada, cast.conversations[0], media=("https://cdn.example.com/a.jpg",))
    line.queue(cast.eve, cast.eves_conversation)
    outcomes.record([(line.must_claim(cast.eves_account), Later(Step.LOOK_UP, 0, "no answer", unclear=True))])
    stop.set_stop(None)
    assert claims.claim_chores(16) == []
    stop.clear_stop(None)
    assert {envelope.step for envelope in claims.claim_chores(16)} == {"upload", "look_up"}


def test_what_is_in_the_air_when_it_is_set_is_still_written_down(cast: Cast) -> None:
    message = line.queue(cast.ada, cast.conversations[0])
    envelope = line.must_claim(cast.account)
    stop.set_stop(None)
    outcomes.record([(envelope, Sent("900"))])
    assert line.fresh(message).status == "sent"


def test_whoever_sets_it_again_changes_nothing_of_the_first(cast: Cast) -> None:
    stop.set_stop(cast.olga.id)
    first = db.session.execute(select(Stop.set_at, Stop.set_by_id)).one()
    stop.set_stop(None)
    assert db.session.execute(select(Stop.set_at, Stop.set_by_id)).all() == [first]
    assert first.set_by_id == cast.olga.id
    stop.clear_stop(None)
    stop.clear_stop(None)
    assert not stop.is_stopped()


def test_who_stopped_and_who_resumed_is_written_down(cast: Cast) -> None:
    stop.set_stop(cast.olga.id)
    stop.clear_stop(None)
    assert _events() == [("sending.stopped", cast.olga.id), ("sending.resumed", None)]


def test_a_long_stop_lets_no_message_fall_by_the_wayside(cast: Cast) -> None:
    messages = [line.queue(cast.ada, conversation) for conversation in cast.conversations[:3]]
    stop.set_stop(None)
    line.pass_time(timedelta(days=3))
    stop.clear_stop(None)
    assert [line.must_claim(cast.account).message_id for _ in messages] == [message.id for message in messages]
