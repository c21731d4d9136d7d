"""The journal: whatever one event can't stand, the others go on; what fails again and again is given up, and kept."""

from datetime import timedelta

from sqlalchemy import select, text, update

from app.clock import now
from app.db import transaction
from app.extensions import db
from app.inbound import service
from app.inbound.models import Outcome, WebhookEvent
from app.messages.models import Message
from tests.inbound.told import message, tell, work_off
from tests.support.cast import Cast

REFUSAL = """
    CREATE TRIGGER refuse BEFORE INSERT ON message WHEN NEW.text = 'Poison'
    BEGIN SELECT RAISE(ABORT, 'the database takes no poison'); END
"""


def test_an_event_that_fails_holds_no_other_up_and_is_given_up_in_the_end(cast: Cast) -> None:
    with transaction():
        db.session.execute(text(REFUSAL))
    tell("messages.received", message(1, 1001, 5), "evt_1")
    tell("messages.received", message(2, 1001, 6, text="<p>Poison</p>"), "evt_2")
    tell("messages.received", message(3, 1002, 7), "evt_3")
    for _ in range(service.ATTEMPTS_MOST):
        work_off()
        assert [row.text for row in db.session.scalars(select(Message).order_by(Message.id))] == ["Line 1", "Line 3"]
        with transaction():
            db.session.execute(update(WebhookEvent).values(try_at=now() - timedelta(seconds=1)))
    with transaction():
        db.session.execute(text("DROP TRIGGER refuse"))
    ends = {row.key: (row.outcome, row.attempts) for row in db.session.scalars(select(WebhookEvent))}
    assert ends == {"evt_1": (Outcome.DONE, 0), "evt_2": (Outcome.FAILED, 6), "evt_3": (Outcome.DONE, 0)}
