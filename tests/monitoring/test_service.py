"""Traffic is counted from our own rows, once each, however often it is counted."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import database_now
from app.extensions import db
from app.messages.models import Attempt, Message, Outcome, Status
from app.messages.service import new_public_id
from app.monitoring import service
from app.monitoring.histogram import step_of
from app.monitoring.models import Traffic
from tests.support.cast import Cast


def _write(cast: Cast, place: int, status: Status, minutes_ago: float, took: float = 2.0, **attempt: object) -> None:
    """A message of one of the cast's fans that ended then, and its attempt."""
    conversation = [*cast.conversations[:3], cast.eves_conversation][place]
    ended = database_now() - timedelta(minutes=minutes_ago)
    message = Message(
        public_id=new_public_id(),
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        fan_id=conversation.fan_id,
        direction="out",
        status=status,
        text="Hello",
        queued_at=ended - timedelta(seconds=took),
        sent_at=ended if status == Status.SENT else None,
        failed_at=ended if status == Status.FAILED else None,
    )
    db.session.add(message)
    db.session.flush()
    known = {"outcome": Outcome.DELIVERED, "started_at": ended, "finished_at": ended, "claim_id": "c", "key": "k"}
    own = {"message_id": message.id, "account_id": message.account_id, "fan_id": message.fan_id}
    db.session.add(Attempt(**(known | own | attempt)))
    db.session.commit()


def _sums(scope: int) -> tuple[int, ...]:
    rows = db.session.scalars(select(Traffic).where(Traffic.scope == scope)).all()
    return tuple(sum(getattr(row, name) for row in rows) for name in ("sent", "failed", "attempts", "errors"))


def test_what_ended_is_counted_for_its_account_and_for_everybody(cast: Cast, any_database: str) -> None:
    unreachable = cast.fans[2]
    unreachable.unreachable_at = database_now()
    _write(cast, 0, Status.SENT, 30)
    _write(cast, 1, Status.FAILED, 45, outcome=Outcome.REFUSED, status_code=422)
    _write(cast, 2, Status.FAILED, 60, outcome=Outcome.REFUSED, status_code=400)
    _write(cast, 1, Status.SENT, 70, outcome=Outcome.UNCLEAR, status_code=500)
    _write(cast, 1, Status.QUEUED, 75, outcome=Outcome.NOT_SENT, status_code=429)
    _write(cast, 3, Status.SENT, 30, took=40)
    _write(cast, 3, Status.SENT, 60 * 25)
    for _ in range(2):
        service.roll_up()
        assert _sums(cast.account.id) == (2, 2, 4, 2)
        assert _sums(cast.eves_account.id) == (1, 0, 1, 0)
        assert _sums(cast.beas_account.id) == (0, 0, 0, 0)
        assert _sums(Traffic.EVERYBODY) == (3, 2, 5, 2)
    hers = db.session.scalars(select(Traffic).where(Traffic.scope == cast.eves_account.id)).one()
    assert hers.latencies == {str(step_of(40_000)): 1}


def test_only_the_newest_is_counted_again_and_the_old_is_dropped(cast: Cast) -> None:
    assert service.roll_up() == 24 * 12 + 1
    assert service.roll_up() <= 2
    _write(cast, 0, Status.SENT, 0)
    service.roll_up()
    assert _sums(cast.account.id)[0] == 1
    first = db.session.scalars(select(Traffic).order_by(Traffic.begins_at)).first()
    assert first is not None
    first.begins_at -= timedelta(hours=25)
    db.session.commit()
    service.roll_up()
    assert db.session.scalar(select(Traffic).where(Traffic.id == first.id)) is None


@pytest.mark.parametrize("hours", [1, 30])
def test_what_was_missed_is_caught_up_with_a_day_at_most(cast: Cast, hours: int) -> None:
    service.roll_up()
    for row in db.session.scalars(select(Traffic).order_by(Traffic.begins_at)):
        row.begins_at -= timedelta(hours=hours)
        db.session.flush()
    db.session.commit()
    assert service.roll_up() in range(min(hours, 24) * 12, min(hours, 24) * 12 + 3)
