"""Every account's lane says how much of its limit is used, what waits, and why; to those who may watch it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import redis

from app.accounts.models import Account
from app.db import database_now
from app.delivery import heartbeat, stop
from app.delivery.desk import Desk
from app.delivery.estimate import Hindrance
from app.delivery.token_bucket import Ended
from app.extensions import db
from app.messages.models import Step
from app.monitoring import lanes, queries
from app.monitoring.lanes import Choice, Lane, Turn
from config import Settings
from tests.delivery.virtual import VirtualRedis
from tests.messages.line import queue
from tests.support.cast import Cast
from tests.support.queries import count_queries


@pytest.fixture
def desk(settings: Settings, redis_url: str) -> Desk:
    """A desk on a real Redis, and a worker that was seen just now."""
    heartbeat.beat("worker", "delivery")
    return Desk.build(settings, redis.Redis.from_url(redis_url, decode_responses=True))


def _lane(cast: Cast, desk: Desk) -> Lane:
    return lanes.page(cast.ada, desk).lanes[0]


def test_an_account_with_nothing_to_do_says_so(cast: Cast, desk: Desk) -> None:
    lane = _lane(cast, desk)
    assert (lane.used, lane.limit, lane.waiting, lane.oldest_due, lane.why) == (0, 10, 0, None, None)


def test_what_waits_says_for_what(cast: Cast, desk: Desk, any_database: str) -> None:
    first = queue(cast.ada, cast.conversations[0])
    lane = _lane(cast, desk)
    assert (lane.waiting, lane.oldest_due, lane.why and lane.why.cause) == (1, first.due_at, Turn.NEXT)
    for step, turn in ((Step.UPLOAD, Turn.UPLOAD), (Step.LOOK_UP, Turn.LOOK_UP)):
        first.next_step = step
        db.session.commit()
        assert _lane(cast, desk).why == lanes.Why(turn)
    first.next_step, first.next_attempt_at = Step.SEND, database_now() + timedelta(seconds=40)
    db.session.commit()
    assert _lane(cast, desk).why == lanes.Why(Turn.ATTEMPT, until=first.next_attempt_at)
    older = queue(cast.ada, cast.conversations[1])
    older.due_at -= timedelta(minutes=9)
    db.session.commit()
    assert _lane(cast, desk).oldest_due == older.due_at
    assert queries.backlog(cast.ada) == queries.Backlog(2, older.due_at)


def test_a_used_up_limit_says_when_the_next_slot_comes(cast: Cast, desk: Desk, redis_url: str) -> None:
    time = VirtualRedis(redis_url, desk.limit)
    time.admit(cast.account.id)
    for _ in range(desk.limit.messages):
        slot = time.bucket().take(1).slots[0]
        time.bucket().finish([Ended(slot.account_id, slot.name, slot.start_ms, 1, "clear")])
        time.pass_time(3_100)
    queue(cast.ada, cast.conversations[0])
    lane = _lane(cast, desk)
    assert lane.used == lane.limit == 10
    assert lane.why is not None
    assert lane.why.cause is Turn.SLOT
    assert lane.why.until is not None
    assert timedelta(seconds=20) < lane.why.until - database_now() < timedelta(seconds=40)


def _stopped(account: Account) -> None:
    account.stopped_at = database_now()


def _refused(account: Account) -> None:
    account.reconnect_since = database_now()


def _paused(account: Account) -> None:
    account.paused_until = database_now() + timedelta(minutes=5)


HELD: dict[Hindrance, Callable[[Account], None]] = {
    Hindrance.ACCOUNT_STOPPED: _stopped,
    Hindrance.RECONNECT: _refused,
    Hindrance.PAUSED: _paused,
}


def test_what_holds_an_account_is_said_with_its_time(cast: Cast, desk: Desk) -> None:
    for hindrance, hold in HELD.items():
        account = db.session.get_one(Account, cast.account.id, populate_existing=True)
        account.stopped_at = account.reconnect_since = account.paused_until = None
        hold(account)
        db.session.commit()
        why = _lane(cast, desk).why
        assert why is not None
        assert why.cause is hindrance
        assert why.until if hindrance is Hindrance.PAUSED else why.since
        assert lanes.page(cast.olga, desk, Choice.HELD).counts == {"all": 3, "waiting": 0, "held": 1}
    stop.set_stop(None)
    assert _lane(cast, desk).why == lanes.Why(Hindrance.STOPPED)


def test_an_open_breaker_says_since_when(cast: Cast, desk: Desk, redis_url: str) -> None:
    time = VirtualRedis(redis_url, desk.limit)
    for message in range(3):
        time.bucket().finish([Ended(cast.account.id, "1", 0, message, "unclear")])
        time.pass_time(1_500)
    time.pass_time(120_000)
    why = _lane(cast, desk).why
    assert why is not None
    assert why.cause is Hindrance.ACCOUNT_AWAY
    assert why.since is not None
    assert timedelta(seconds=115) < database_now() - why.since < timedelta(seconds=130)


def test_everybody_watches_their_own_and_an_operator_all(cast: Cast, desk: Desk) -> None:
    queue(cast.eve, cast.eves_conversation)
    who = {cast.ada: ["Ada"], cast.eve: ["Eve"], cast.max: ["Ada", "Bea"], cast.olga: ["Eve", "Ada", "Bea"]}
    for viewer, names in who.items():
        assert [lane.account.display_name for lane in lanes.page(viewer, desk).lanes] == names
        assert queries.backlog(viewer).waiting == ("Eve" in names)
    assert [lane.account.display_name for lane in lanes.page(cast.olga, desk, Choice.WAITING).lanes] == ["Eve"]
    assert [lane.account.display_name for lane in lanes.page(cast.olga, desk, search="DEMO_B").lanes] == ["Bea"]
    assert lanes.page(cast.max, desk, search="eve").lanes == []


def test_a_page_costs_the_same_however_many_accounts_there_are(cast: Cast, desk: Desk) -> None:
    with count_queries() as few:
        lanes.page(cast.olga, desk)
    owner = cast.ada.id
    db.session.add_all(Account(platform_id=f"acct_{n}", owner_id=owner, display_name=f"N{n:03}") for n in range(45))
    db.session.commit()
    with count_queries() as many:
        assert len(lanes.page(cast.olga, desk).lanes) == lanes.PAGE
    assert len(many) == len(few)
    assert len(lanes.page(cast.olga, desk, offset=40).lanes) == 8


def test_without_redis_nothing_is_known_of_slots(cast: Cast, settings: Settings) -> None:
    desk = Desk.build(settings, redis.Redis(port=9, socket_connect_timeout=0.2))
    lane = _lane(cast, desk)
    assert (lane.used, lane.why) == (None, lanes.Why(Hindrance.REDIS_AWAY))
