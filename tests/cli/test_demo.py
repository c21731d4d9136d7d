"""`flask demo load` fills an empty deployment once, and leaves everything else alone."""

import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.accounts import queries as accounts
from app.accounts import service as sign_in
from app.accounts.models import Account, User
from app.analytics import service as analytics
from app.analytics.models import Revenue
from app.campaigns import afterwards
from app.campaigns import queries as campaigns
from app.cli.demo_people import FANS, PASSWORD, PEOPLE
from app.cli.demo_talk import parse
from app.cli.demo_texts import TEXTS
from app.clock import now
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status
from app.messages.rules import MEDIA_MOST, check_text, check_url, price_fault
from tests.support.apps import PRODUCTION, MakeApp, RunCli


@pytest.fixture
def loaded(run_cli: RunCli) -> None:
    """A deployment with the demo in it."""
    result = run_cli("demo", "load")
    assert result.exit_code == 0, result.output


def _user(email: str) -> User:
    return db.session.scalars(select(User).where(User.email == email)).one()


@pytest.mark.usefixtures("loaded")
def test_everybody_can_sign_in_and_sees_their_accounts() -> None:
    seen = {}
    for email, name, _ in PEOPLE:
        user = sign_in.authenticate(email, PASSWORD)
        assert user.name == name
        seen[email.split("@")[0]] = [account.platform_id for account in accounts.visible(user)]
    assert seen == {
        "ada": ["acct_demo_ada"],
        "bea": ["acct_demo_bea"],
        "eve": ["acct_demo_eve"],
        "max": ["acct_demo_ada", "acct_demo_bea"],
        "olga": [],
    }


@pytest.mark.usefixtures("loaded")
def test_ada_has_some_forty_fans_and_a_lively_inbox() -> None:
    ada = _user("ada@example.com")
    inbox = conversations.inbox(ada, limit=100)
    assert len(FANS["acct_demo_ada"]) == 40
    assert len(inbox) == 38 + 18 + 14 + 12
    assert inbox[20].last_message_at is not None
    assert 3 <= len(conversations.inbox(ada, conversations.Show.UNREAD)) <= 12
    assert inbox[0].last_message_at is not None
    assert now() - inbox[0].last_message_at < timedelta(minutes=10)


@pytest.mark.usefixtures("loaded")
def test_conversations_agree_with_their_messages() -> None:
    for conversation in db.session.scalars(select(Conversation)):
        thread = db.session.scalars(
            select(Message).where(Message.conversation_id == conversation.id).order_by(Message.created_at)
        ).all()
        assert conversation.last_message == thread[-1].text[:200]
        assert conversation.last_message_at == thread[-1].created_at
        assert conversation.unread_count == sum(not message.read for message in thread)
        assert conversation.created_at <= thread[0].created_at
        assert all(message.created_at <= now() for message in thread)
        assert len({message.created_at for message in thread}) == len(thread)


@pytest.mark.usefixtures("loaded")
def test_nothing_is_left_to_send_but_tomorrows_message() -> None:
    counted = Counter(db.session.scalars(select(Message.status)))
    assert set(counted) == set(Status) - {Status.SENDING, Status.CANCELED}
    assert counted[Status.UNKNOWN] == counted[Status.SCHEDULED] == 1
    assert set(db.session.scalars(select(Message.held).where(Message.status == Status.QUEUED))) == {True}
    scheduled = db.session.scalars(select(Message).where(Message.status == Status.SCHEDULED)).one()
    assert timedelta(hours=12) < scheduled.due_at - now() < timedelta(hours=36)
    for failed in db.session.scalars(select(Message).where(Message.status == Status.FAILED)).all():
        assert failed.dead_lettered_at is not None
        assert failed.error
        assert db.session.get_one(Fan, failed.fan_id).unreachable_at is not None


@pytest.mark.usefixtures("loaded")
def test_campaigns_are_over_or_paused_halfway_and_fans_took_them_up() -> None:
    found = campaigns.page(_user("ada@example.com"), None, 10, 0).rows
    assert [one.stage for one in found] == ["paused", "completed", "completed"]
    assert [(one.counts.sent, one.counts.failed) for one in found] == [(5, 0), (14, 0), (17, 1)]
    for one in found[1:]:
        after = afterwards.afterwards(one.campaign)
        assert after.replied >= 9
        assert after.bought >= 4


@pytest.mark.usefixtures("loaded")
def test_what_they_wrote_keeps_the_rules_of_messages() -> None:
    for message in db.session.scalars(select(Message)):
        check_text(message.text)
        assert len(message.attachments) <= MEDIA_MOST
        assert price_fault(message.price_cents, len(message.attachments)) is None
        for attachment in message.attachments:
            check_url(attachment["url"])


@pytest.mark.usefixtures("loaded")
def test_money_fits_what_was_sold() -> None:
    for fan in db.session.scalars(select(Fan)):
        sold = select(func.coalesce(func.sum(Message.price_cents), 0)).where(Message.fan_id == fan.id)
        assert fan.value_cents >= 999 + db.session.execute(sold).scalar_one()


@pytest.mark.usefixtures("any_database", "loaded")
def test_two_years_of_payments_are_there_and_counted() -> None:
    for account in db.session.scalars(select(Account)):
        received = func.min(Transaction.received_at), func.max(Transaction.received_at), func.count()
        first, last, payments = db.session.execute(select(*received).where(Transaction.account_id == account.id)).one()
        assert now() - first > timedelta(days=660)
        assert timedelta() < now() - last < timedelta(days=3)
        assert payments > 1000
    paid = select(Transaction.fan_id, func.sum(Transaction.gross_cents)).group_by(Transaction.fan_id)
    assert dict(db.session.execute(select(Fan.id, Fan.value_cents)).all()) == dict(db.session.execute(paid).all())
    counted = select(func.sum(Revenue.gross_cents), func.sum(Revenue.net_cents), func.sum(Revenue.payments))
    summed = select(func.sum(Transaction.gross_cents), func.sum(Transaction.net_cents), func.count(Transaction.id))
    assert db.session.execute(counted).one() == db.session.execute(summed).one()
    assert analytics.accounts_to_roll_up() == []


def test_the_second_time_changes_nothing(run_cli: RunCli) -> None:
    assert run_cli("demo", "load").exit_code == 0
    before = db.session.execute(select(func.count()).select_from(Message)).scalar_one()
    began = time.monotonic()
    result = run_cli("demo", "load")
    assert result.output == "The demo is there already.\n"
    assert time.monotonic() - began < 1
    assert db.session.execute(select(func.count()).select_from(Message)).scalar_one() == before


def test_it_is_all_or_nothing(run_cli: RunCli) -> None:
    sign_in.create_user("max@example.com", "Another Max", PEOPLE[3][2], PASSWORD)
    db.session.commit()
    result = run_cli("demo", "load")
    assert result.exit_code == 1
    assert result.output == "Error: Somebody with this e-mail address exists already\n"
    assert db.session.scalars(select(Account)).all() == []


def test_it_is_refused_in_production(make_app: MakeApp, run_cli: RunCli) -> None:
    result = run_cli("demo", "load", on=make_app(**PRODUCTION))
    assert result.exit_code == 1
    assert "not loaded in production" in result.output
    assert db.session.scalars(select(User)).all() == []


@pytest.mark.parametrize("platform_id", TEXTS)
def test_every_dialogue_can_be_read(platform_id: str) -> None:
    for dialogue in TEXTS[platform_id]:
        written = [line for line in dialogue.splitlines() if line.strip() and not line.startswith("      ")]
        assert len(parse(dialogue, {"fan": "Tom", "creator": "Ada"})) == len(written)


@pytest.mark.parametrize(
    "command", [("demo", "load"), ("users", "create"), ("users", "password"), ("users", "disable")]
)
def test_commands_explain_themselves(run_cli: RunCli, command: tuple[str, ...]) -> None:
    result = run_cli(*command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 300
