"""A fan who is taken out by people is forgotten; what was written and paid stays."""

import pytest
from sqlalchemy import select

from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings.models import Transaction
from app.errors import Conflict, NotFound
from app.extensions import db
from app.fans import queries, service
from app.fans.models import Fan
from app.messages import erasure
from app.messages import service as messages
from app.messages.models import Message, Status
from app.messages.rules import Draft
from tests.support.cast import Cast


def test_the_person_is_forgotten_and_the_rest_stays(cast: Cast) -> None:
    fan = cast.fans[0]
    service.change(cast.ada, fan.id, {"email": "tom@example.com", "notes": "secret", "tags": ["vip"], "tier": "Gold"})
    message = messages.send(cast.ada, cast.conversations[0].id, Draft(text="Hello"))
    with transaction():
        message.status = Status.SENT
        paid = {"type": "tip", "gross_cents": 500, "net_cents": 400, "received_at": now(), "platform_id": "t1"}
        db.session.add(Transaction(account_id=fan.account_id, fan_id=fan.id, **paid))
    erasure.remove_fan(cast.ada, fan.id)
    db.session.expire_all()
    left = db.session.get_one(Fan, fan.id)
    assert (left.name, left.handle, left.platform_id, left.email, left.tier) == ("Removed fan", None, None, None, None)
    assert (left.tags, left.notes) == ([], "")
    assert db.session.scalars(select(Message.fan_id)).all() == [fan.id]
    assert db.session.scalars(select(Transaction.fan_id)).all() == [fan.id]
    assert db.session.scalars(select(Conversation.id).where(Conversation.fan_id == fan.id)).one()


def test_who_was_taken_out_is_not_there_any_more(cast: Cast) -> None:
    fan_id = cast.fans[0].id
    erasure.remove_fan(cast.ada, fan_id)
    with pytest.raises(NotFound):
        queries.fan(cast.ada, fan_id)
    with pytest.raises(NotFound):
        erasure.remove_fan(cast.ada, fan_id)
    assert service.ensure(cast.account.id, "1001").id != fan_id


def test_nobody_is_taken_out_while_messages_are_on_the_way(cast: Cast) -> None:
    messages.send(cast.ada, cast.conversations[0].id, Draft(text="Hello"))
    with pytest.raises(Conflict):
        erasure.remove_fan(cast.ada, cast.fans[0].id)
    with pytest.raises(NotFound):
        erasure.remove_fan(cast.eve, cast.fans[1].id)
