"""Somebody asks what became of an unknown message: its chat tells, and the answer is written down."""

from datetime import timedelta

import pytest
import redis
from flask import Flask
from rq import Queue

from app import jobs
from app.accounts.connection import Keys
from app.clock import now
from app.db import database_now, transaction
from app.delivery import checking
from app.delivery.courier import Courier
from app.errors import Conflict, NotFound, Unavailable
from app.extensions import db
from app.gateways.answers import Letter, Login
from app.messages import service
from app.messages.models import Attempt, Message, Status
from app.messages.rules import Draft
from tests.support.apps import MakeApp
from tests.support.cast import Cast
from tests.support.fake_platform import FakePlatform

pytestmark = pytest.mark.usefixtures("any_database")
LONG_AGO = timedelta(hours=2)


@pytest.fixture
def chats(app: Flask) -> FakePlatform:
    """The platform whose chats are read."""
    platform = FakePlatform()
    checking.bind(lambda: Courier(platform, Keys(app.extensions["settings"].encryption_key, "key")))
    return platform


@pytest.fixture
def message(cast: Cast) -> Message:
    """A message of Ada's whose one call, two hours ago, ended so that nobody knows."""
    with transaction():
        message = service.send(cast.ada, cast.conversations[0].id, Draft(text="Are you there?"))
        message.status, message.error = Status.UNKNOWN, "Nobody can tell"
        db.session.add(_attempt(message))
    return message


def _attempt(message: Message, ago: timedelta = LONG_AGO) -> Attempt:
    return Attempt(
        message_id=message.id,
        account_id=message.account_id,
        fan_id=message.fan_id,
        claim_id="c",
        key=message.public_id,
        started_at=database_now() - ago,
    )


def _arrive(platform: FakePlatform, message: Message, text: str = "Are you there?") -> None:
    platform.send(Login("acct_demo_ada", "key"), Letter("1001", text, 0, (), message.public_id))


def _after_a_look(message: Message) -> tuple[str, str | None, str | None]:
    checking.look(message.id)
    db.session.refresh(message)
    return message.status, message.error, message.platform_message_id


def test_what_stands_in_its_chat_was_sent(chats: FakePlatform, message: Message, cast: Cast) -> None:
    _arrive(chats, message)
    before = cast.conversations[0].version
    assert _after_a_look(message) == ("sent", None, chats.deliveries[0].message.id)
    db.session.refresh(cast.conversations[0])
    assert cast.conversations[0].version > before


def test_what_surely_isnt_there_failed(chats: FakePlatform, message: Message) -> None:
    _arrive(chats, message, text="Something else")
    status, error, _ = _after_a_look(message)
    assert (status, error) == ("failed", "Its chat was looked through: it did not arrive")
    assert message.failed_at is not None


def test_another_rows_message_is_not_taken_for_it(chats: FakePlatform, message: Message, cast: Cast) -> None:
    _arrive(chats, message)
    with transaction():
        twin = service.send(cast.ada, cast.conversations[0].id, Draft(text="Are you there?"))
        twin.status, twin.platform_message_id = Status.SENT, chats.deliveries[0].message.id
    assert _after_a_look(message)[0] == "failed"


def test_what_may_still_arrive_stays_unknown(chats: FakePlatform, message: Message) -> None:
    with transaction():
        db.session.add(_attempt(message, ago=timedelta(seconds=30)))
    assert _after_a_look(message)[:2] == ("unknown", "It is not in its chat yet; check again in a minute")


def test_a_chat_that_cant_be_read_changes_nothing_but_the_words(chats: FakePlatform, message: Message) -> None:
    chats.unreadable = True
    status, error, _ = _after_a_look(message)
    assert (status, error) == ("unknown", "Its chat could not be read just now: the chat can't be read")


def test_what_is_known_by_now_is_left_alone(chats: FakePlatform, message: Message) -> None:
    with transaction():
        message.status, message.sent_at = Status.SENT, now()
    assert _after_a_look(message)[0] == "sent"
    assert chats.read == []


def test_the_look_is_a_background_workers(message: Message, cast: Cast, redis_url: str) -> None:
    assert checking.begin(cast.ada, message.id).status == Status.UNKNOWN
    with redis.Redis.from_url(redis_url) as client:
        (job,) = Queue(jobs.BACKGROUND, connection=client, serializer=jobs.JSONSerializer).jobs
        assert (job.func_name, job.args) == (checking.LOOK, [message.id])


def test_only_ones_own_unknown_messages_can_be_checked(message: Message, cast: Cast) -> None:
    with pytest.raises(NotFound):
        checking.begin(cast.eve, message.id)
    with transaction():
        message.status = Status.FAILED
    with pytest.raises(Conflict):
        checking.begin(cast.ada, message.id)


def test_without_redis_it_says_so(make_app: MakeApp, message: Message, cast: Cast) -> None:
    with make_app(REDIS_URL="redis://127.0.0.1:9").app_context(), pytest.raises(Unavailable):
        checking.begin(cast.ada, message.id)
