"""An account is read from the platform page by page: all of it once, then what is missing; nothing is taken away."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.accounts import connection
from app.accounts.connection import Keys
from app.accounts.models import Account
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.gateways.answers import CallFailed, Login
from app.gateways.listing import Listing, Page
from app.gateways.platform import OnlyFansPlatform
from app.gateways.webhooks import EVENTS, Address
from app.inbound import sync
from app.inbound.models import Stage, Synchronisation
from app.inbound.sync import Reader
from app.messages import service as messages
from app.messages.models import Message, Status
from app.messages.rules import Draft
from embedded.platform_process import KEY
from tests.embedded.platform.sim import Sim
from tests.inbound import told
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
ADA = "acct_demo_ada"
DAYS = timedelta(days=90)


@pytest.fixture
def sim(platform: str) -> Iterator[Sim]:
    """The platform."""
    sim = Sim(platform)
    yield sim
    sim.close()


@pytest.fixture
def reader(sim: Sim, app: Flask) -> Iterator[Reader]:
    """What a background worker reads with."""
    platform = OnlyFansPlatform(sim.url, 10)
    with platform.http:
        yield Reader(Listing(platform), Keys(app.extensions["settings"].encryption_key, KEY))


@pytest.fixture
def jobs_of_this_process(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sync.run` reads with the test's reader."""
    monkeypatch.setattr(sync, "_make_reader", lambda: reader)


def said(sim: Sim, chat: int, count: int, by: str = "fan") -> None:
    """So many messages in a chat."""
    for number in range(count):
        sim.tell("/messages", {"account": ADA, "chat": str(chat), "text": f"{by} {number} of {chat} & me", "from": by})


def begin(account: Account, full: bool = True) -> int:
    """Begin, and say which synchronisation it is."""
    sync.begin(account.id, now() - DAYS, full=full)
    return row(account).id


def row(account: Account) -> Synchronisation:
    """How far it is."""
    return db.session.scalars(
        select(Synchronisation).where(Synchronisation.account_id == account.id),
        execution_options={"populate_existing": True},
    ).one()


def read_all(reader: Reader, sync_id: int, steps: int = 200) -> None:
    """Step until it is done."""
    for _ in range(steps):
        if db.session.get_one(Synchronisation, sync_id, populate_existing=True).stage == Stage.DONE:
            break
        sync.step(reader, sync_id)
    db.session.expire_all()


def count(table: type[Fan] | type[Message] | type[Transaction]) -> int:
    """Ada's."""
    query = select(func.count()).select_from(table).where(table.account_id == 1)
    return db.session.execute(query).scalar_one()


def test_the_first_filling_brings_chats_messages_fans_and_payments(sim: Sim, reader: Reader, cast: Cast) -> None:
    for chat in range(7000, 7025):
        said(sim, chat, 3)
    sim.send(account=ADA, chat="7000", text="Hello & welcome")
    for fan in range(8000, 8045):
        sim.tell("/fans", {"account": ADA, "id": str(fan), "is_subscribed": fan % 2 == 0, "name": f"Fan {fan}"})
    for number in range(120):
        sim.tell("/transactions", {"account": ADA, "fan": "7001", "amount": 5 + number, "type": "tips"})
    before = count(Fan)
    read_all(reader, begin(cast.account))
    done = row(cast.account)
    assert (done.stage, done.chats, done.messages, done.fans, done.payments) == (Stage.DONE, 70, 76, 70, 120)
    assert (count(Message), count(Fan) - before, count(Transaction)) == (76, 70, 120)
    assert done.finished_at is not None
    statuses = {fan.platform_id: fan.status for fan in db.session.scalars(select(Fan))}
    assert (statuses["8000"], statuses["8001"]) == ("active", "expired")
    fan = db.session.scalars(select(Fan).where(Fan.platform_id == "7000")).one()
    thread = db.session.scalars(select(Conversation).where(Conversation.fan_id == fan.id)).one()
    assert (thread.last_message, thread.unread_count, thread.last_direction) == ("Hello & welcome", 3, "out")


def test_what_was_unread_there_stays_unread(sim: Sim, reader: Reader, cast: Cast) -> None:
    said(sim, 7000, 2)
    read_all(reader, begin(cast.account))
    (chat,) = sim.http.get(f"/api/{ADA}/chats").json()["data"]
    assert chat["unreadMessagesCount"] > 0


def test_what_was_read_on_the_phone_is_read_here_the_next_night(sim: Sim, reader: Reader, cast: Cast) -> None:
    said(sim, 7000, 2)
    said(sim, 7001, 1)
    read_all(reader, begin(cast.account))
    sim.http.post(f"/api/{ADA}/chats/7000/mark-as-read")
    told.tell("messages.received", told.message(9, 7000, 5))
    told.work_off()
    fan = db.session.scalars(select(Fan).where(Fan.platform_id == "7000")).one()
    with transaction():
        # It came after the list was made: nobody has read that one.
        late = db.session.scalars(select(Message).where(Message.text == "Line 9")).one()
        late.created_at = now() + timedelta(minutes=1)
    read_all(reader, begin(cast.account, full=False))
    assert [m.text for m in db.session.scalars(select(Message).where(~Message.read, Message.fan_id == fan.id))] == [
        "Line 9"
    ]
    unread = {one.fan_id: one.unread_count for one in db.session.scalars(select(Conversation))}
    assert (unread[fan.id], sum(unread.values())) == (1, 2)


class Interrupted(Listing):
    """A platform whose every third call for messages fails."""

    calls = 0

    def messages(self, login: Login, chat: str, cursor: str | None) -> Page:
        """One of three fails."""
        self.calls += 1
        if self.calls % 3 == 0:
            raise CallFailed("The platform didn't answer")
        return super().messages(login, chat, cursor)


def test_it_goes_on_where_it_was_interrupted_and_brings_nothing_twice(sim: Sim, reader: Reader, cast: Cast) -> None:
    for chat in range(7000, 7012):
        said(sim, chat, 1)
    sync_id = begin(cast.account)
    sync.step(reader, sync_id)
    broken = Reader(Interrupted(reader.listing.platform), reader.keys)
    broken.listing.calls = 2  # type: ignore[attr-defined]
    due_at = sync.step(broken, sync_id)
    assert due_at is not None
    assert due_at > now()
    assert (row(cast.account).failures, row(cast.account).chats) == (1, 10)
    read_all(reader, sync_id)
    assert (row(cast.account).chats, row(cast.account).error, count(Message)) == (12, None, 12)


def test_the_nightly_look_finds_what_webhooks_missed_and_reads_nothing_else(
    sim: Sim, reader: Reader, cast: Cast
) -> None:
    for chat in (7000, 7001, 7002):
        said(sim, chat, 2)
    read_all(reader, begin(cast.account))
    said(sim, 7001, 60)
    said(sim, 7001, 1, by="creator")
    asked = sim.summary(ADA)["kinds"]["list_messages"]
    read_all(reader, begin(cast.account, full=False))
    assert count(Message) == 6 + 61
    assert sim.summary(ADA)["kinds"]["list_messages"] - asked == 2


def test_whoever_reads_with_a_key_of_their_own_is_told_from_then_on(sim: Sim, reader: Reader, cast: Cast) -> None:
    address = Address.below("https://crm.example.com/", "signs-everything")
    told_reader = Reader(reader.listing, reader.keys, address)
    for _ in range(2):
        read_all(told_reader, begin(cast.account))
    (found,) = sim.http.get("/api/webhooks").json()["data"]
    assert (found["endpoint_url"], found["has_signing_secret"]) == (address.url, True)
    assert set(EVENTS) <= set(found["events"])


def test_nothing_is_taken_away_because_it_is_missing_there(sim: Sim, reader: Reader, cast: Cast) -> None:
    said(sim, 7000, 2)
    read_all(reader, begin(cast.account))
    before = (count(Fan), count(Message))
    sim.tell("/reset", {})
    read_all(reader, begin(cast.account))
    assert (count(Fan), count(Message)) == before


def test_a_message_of_ours_is_found_and_not_doubled(sim: Sim, reader: Reader, cast: Cast) -> None:
    mine = messages.send(cast.ada, cast.conversations[0].id, Draft(text="Hello"))
    answer = sim.send(account=ADA, chat="1001", text="Hello").json()["data"]["id"]
    with transaction():
        mine.status, mine.platform_message_id = Status.SENT, str(answer)
    read_all(reader, begin(cast.account))
    assert count(Message) == 1


def test_it_leaves_half_of_the_limit_to_sends(sim: Sim, reader: Reader, cast: Cast) -> None:
    said(sim, 7000, 1)
    sim.tell("/settings", {"team_limit": 3})
    sync_id = begin(cast.account)
    due_at = sync.step(reader, sync_id)
    assert due_at is not None
    assert due_at > now() + timedelta(seconds=5)
    assert row(cast.account).failures == 0
    sim.tell("/settings", {"team_limit": 1})
    refused_until = sync.step(reader, sync_id)
    assert refused_until is not None
    assert refused_until > now() + timedelta(seconds=25)


@pytest.mark.usefixtures("jobs_of_this_process")
def test_the_job_reads_to_the_end_and_one_at_a_time(sim: Sim, cast: Cast) -> None:
    said(sim, 7000, 1)
    sync_id = begin(cast.account)
    with transaction():
        row(cast.account).working_until = now() + timedelta(minutes=1)
    sync.run(sync_id)
    assert row(cast.account).stage == Stage.CHATS
    with transaction():
        row(cast.account).working_until = now() - timedelta(seconds=1)
    sync.run(sync_id)
    assert (row(cast.account).stage, row(cast.account).working_until) == (Stage.DONE, None)


@pytest.mark.usefixtures("jobs_of_this_process")
def test_an_account_that_must_be_authenticated_again_is_left_alone(sim: Sim, cast: Cast) -> None:
    sync_id = begin(cast.account)
    connection.require_reconnect(cast.account.id, "The login has ended")
    sync.run(sync_id)
    assert row(cast.account).due_at > now() + timedelta(seconds=50)
    assert sim.ask("/summary")["accounts"] == {}


def test_at_night_accounts_that_were_read_before_are_read_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(cast.account)
    with transaction():
        done = row(cast.account)
        done.stage, done.finished_at = Stage.DONE, now() - timedelta(days=1)
    at = now().replace(hour=12)
    monkeypatch.setattr(sync, "now", lambda: at)
    sync.begin_nightly()
    assert row(cast.account).stage == Stage.DONE
    monkeypatch.setattr(sync, "now", lambda: at.replace(hour=3) + timedelta(days=1))
    sync.begin_nightly()
    again = row(cast.account)
    assert (again.stage, again.full) == (Stage.CHATS, False)
    assert db.session.scalar(select(func.count()).select_from(Synchronisation)) == 1
