"""What people do to messages: send, cancel, retry, send again; each for their own people alone."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.accounts.models import Account, User
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.errors import Conflict, Invalid, NotFound
from app.extensions import db
from app.fans.models import Fan
from app.messages import service
from app.messages.models import Message, Priority, Status, Step
from app.messages.rules import Draft
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
HELLO = Draft(text="Hello!")
PICTURE = {"type": "image", "url": "https://cdn.example.com/a.jpg"}


@pytest.fixture
def sent(ada: User, conversation: Conversation) -> Message:
    """A message that Ada wrote and nobody has touched yet."""
    return service.send(ada, conversation.id, HELLO)


def _settle(message: Message, status: Status) -> None:
    with transaction():
        message.status = status


def _messages() -> int:
    return db.session.execute(select(func.count()).select_from(Message)).scalar_one()


def test_a_message_is_queued_and_its_conversation_shows_it(ada: User, conversation: Conversation) -> None:
    before = conversation.version
    sent = service.send(ada, conversation.id, HELLO)
    db.session.expire_all()
    assert re.fullmatch(r"msg_[0-9a-f]{32}", sent.public_id)
    assert (sent.status, sent.direction, sent.priority, sent.next_step) == ("queued", "out", Priority.HIGH, Step.SEND)
    assert sent.queued_at == sent.due_at == sent.created_at
    assert (sent.published_at, sent.received_at, sent.sqs_message_id) == (None, None, None)
    assert conversation.last_message == "Hello!"
    assert conversation.last_message_at == sent.created_at
    assert conversation.version == before + 1
    assert conversation.unread_count == 0


def test_what_was_written_is_kept_as_it_is(ada: User, conversation: Conversation) -> None:
    draft = Draft(text="Look 🌷\n<b>!</b>", priority=Priority.LOW, price_cents=300, attachments=(PICTURE, PICTURE))
    message = service.send(ada, conversation.id, draft)
    db.session.expire_all()
    assert (message.text, message.price_cents, message.priority) == (draft.text, 300, Priority.LOW)
    assert message.attachments == [PICTURE, PICTURE]
    assert message.next_step == Step.UPLOAD


def test_one_for_later_is_scheduled_and_one_for_the_past_goes_now(ada: User, conversation: Conversation) -> None:
    later, earlier = now() + timedelta(hours=5), now() - timedelta(hours=5)
    scheduled = service.send(ada, conversation.id, Draft(text="later", scheduled_at=later))
    assert (scheduled.status, scheduled.due_at, scheduled.queued_at) == (Status.SCHEDULED, later, None)
    at_once = service.send(ada, conversation.id, Draft(text="now", scheduled_at=earlier))
    assert at_once.status == Status.QUEUED
    assert at_once.due_at > earlier


def test_her_manager_may_send_and_is_named_as_the_author(max: User, conversation: Conversation) -> None:
    assert service.send(max, conversation.id, HELLO).author_id == max.id


def test_strangers_find_no_conversation_to_write_in(cast: Cast) -> None:
    for viewer, conversation_id in (
        (cast.eve, cast.conversations[0].id),
        (cast.bea, cast.conversations[0].id),
        (cast.olga, cast.conversations[0].id),
        (cast.max, cast.eves_conversation.id),
        (cast.ada, 999),
    ):
        with pytest.raises(NotFound):
            service.send(viewer, conversation_id, HELLO)
    assert _messages() == 0


def test_a_fan_whose_platform_id_nobody_knows_cannot_be_written_to(cast: Cast) -> None:
    before = cast.conversations[-1].version
    with pytest.raises(Conflict):
        service.send(cast.ada, cast.conversations[-1].id, HELLO)
    assert _messages() == 0
    assert cast.conversations[-1].version == before


def test_a_recipient_is_met_by_platform_id_in_the_open_conversation(ada: User, conversation: Conversation) -> None:
    message = service.send_to_recipient(ada, None, "1001", HELLO)
    assert message.conversation_id == conversation.id


def test_an_unknown_recipient_becomes_a_fan(ada: User, account: Account) -> None:
    message = service.send_to_recipient(ada, account.id, "user_123", HELLO)
    fan = db.session.get_one(Fan, message.fan_id)
    assert (fan.platform_id, fan.account_id) == ("user_123", account.id)
    assert service.send_to_recipient(ada, account.id, "user_123", HELLO).conversation_id == message.conversation_id


def test_who_has_several_accounts_must_name_one(cast: Cast) -> None:
    with pytest.raises(Invalid):
        service.send_to_recipient(cast.max, None, "1001", HELLO)
    with pytest.raises(NotFound):
        service.send_to_recipient(cast.max, cast.eves_account.id, "1001", HELLO)
    assert service.send_to_recipient(cast.max, cast.beas_account.id, "1001", HELLO).account_id == cast.beas_account.id


def test_a_recipient_of_two_accounts_is_met_in_the_one_that_was_named(cast: Cast) -> None:
    sent = [
        service.send_to_recipient(cast.max, account.id, "1001", HELLO)
        for account in (cast.beas_account, cast.account, cast.beas_account)
    ]
    assert [message.account_id for message in sent] == [cast.beas_account.id, cast.account.id, cast.beas_account.id]
    assert sent[1].conversation_id == cast.conversations[0].id
    assert sent[0].conversation_id == sent[2].conversation_id != sent[1].conversation_id


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SCHEDULED])
def test_what_waits_can_be_canceled(ada: User, sent: Message, conversation: Conversation, status: Status) -> None:
    _settle(sent, status)
    db.session.refresh(conversation)
    before = conversation.version
    assert service.cancel(ada, sent.id).status == Status.CANCELED
    db.session.expire_all()
    assert sent.status == Status.CANCELED
    assert conversation.version == before + 1


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.QUEUED, Status.SCHEDULED, Status.RECEIVED)])
def test_what_may_have_left_cannot(ada: User, sent: Message, status: Status) -> None:
    _settle(sent, status)
    with pytest.raises(Conflict):
        service.cancel(ada, sent.id)
    assert sent.status == status


def test_what_may_have_arrived_cannot_be_canceled_while_it_waits(ada: User, sent: Message) -> None:
    with transaction():
        sent.first_unclear_at = now()
    with pytest.raises(Conflict):
        service.cancel(ada, sent.id)


@pytest.mark.parametrize(
    ("verb", "status"), [(service.retry, Status.FAILED), (service.send_again, Status.UNKNOWN)], ids=["retry", "again"]
)
class TestOnceMore:
    """Retrying what failed and sending again what is unknown: a new message, once."""

    Verb = Callable[[User, int], Message]

    def test_a_new_message_is_linked_to_the_old(self, verb: Verb, status: Status, ada: User, sent: Message) -> None:
        _settle(sent, status)
        new = verb(ada, sent.id)
        assert new.retry_of_id == sent.id
        assert new.public_id != sent.public_id
        assert (new.text, new.price_cents, new.attachments) == (sent.text, sent.price_cents, sent.attachments)
        assert (new.status, new.attempts, new.first_unclear_at) == (Status.QUEUED, 0, None)
        assert sent.status == status

    def test_any_other_status_is_refused(self, verb: Verb, status: Status, ada: User, sent: Message) -> None:
        for other in Status:
            if other not in (status, Status.RECEIVED):
                _settle(sent, other)
                with pytest.raises(Conflict):
                    verb(ada, sent.id)
        assert _messages() == 1

    def test_the_second_time_is_refused(self, verb: Verb, status: Status, ada: User, sent: Message) -> None:
        _settle(sent, status)
        verb(ada, sent.id)
        with pytest.raises(Conflict):
            verb(ada, sent.id)
        assert _messages() == 2

    def test_many_at_once_make_one(self, verb: Verb, status: Status, app: Flask, ada: User, sent: Message) -> None:
        _settle(sent, status)
        old = sent.id
        together = threading.Barrier(6)
        answers: list[str] = []

        def come() -> None:
            with app.app_context():
                viewer = db.session.get_one(User, ada.id)
                together.wait(timeout=10)
                try:
                    answers.append(verb(viewer, old).status)
                except Exception as refused:
                    answers.append(type(refused).__name__)

        threads = [threading.Thread(target=come) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert sorted(answers) == ["Conflict"] * 5 + ["queued"]
        assert _messages() == 2

    def test_it_is_for_her_people_alone(self, verb: Verb, status: Status, cast: Cast, sent: Message) -> None:
        _settle(sent, status)
        for stranger in (cast.eve, cast.olga, cast.bea):
            with pytest.raises(NotFound):
                verb(stranger, sent.id)
        assert verb(cast.max, sent.id).author_id == cast.max.id


def test_messages_are_found_by_their_people_alone(cast: Cast, sent: Message) -> None:
    assert service.find(cast.ada, sent.id) is sent
    assert service.find(cast.max, sent.id) is sent
    for viewer, message_id in ((cast.eve, sent.id), (cast.olga, sent.id), (cast.ada, 999)):
        with pytest.raises(NotFound):
            service.find(viewer, message_id)


def test_what_came_in_is_not_found_among_what_went_out(ada: User, sent: Message) -> None:
    with transaction():
        sent.direction, sent.status = "in", Status.RECEIVED
    for verb in (service.find, service.cancel, service.retry, service.send_again):
        with pytest.raises(NotFound):
            verb(ada, sent.id)
