"""The independent tick: whatever an event missed is found by looking, and no duty that fails holds up another."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import jobs
from app.accounts import connection
from app.accounts.connection import Keys
from app.accounts.models import Account
from app.db import transaction
from app.delivery import heartbeat
from app.delivery.housekeeping import FORGET_DRAFTS, FORGET_OLD_EVENTS, FORGET_OLD_KEYS, ROLL_UP, Housekeeping
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.extensions import connect_redis, db
from app.gateways.answers import CallFailed
from app.messages.models import Message, Status
from config import DEVELOPMENT_ENCRYPTION_KEY
from tests.analytics.books import pay
from tests.delivery.queues import UnrulyQueue, drain
from tests.delivery.virtual import LIMIT, TIMEOUT, VirtualRedis
from tests.messages.line import change, fresh, must_claim, pass_time
from tests.messages.line import queue as accept
from tests.support.cast import Cast
from tests.support.fake_platform import FakePlatform

KEYS = Keys(DEVELOPMENT_ENCRYPTION_KEY, "deployment-key")
Make = Callable[..., Housekeeping]


class ManyKeys(FakePlatform):
    """Each key lists accounts of its own; `silent` keys get no answer."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, set[str]] = {}
        self.silent: set[str] = set()
        self.asked: list[str] = []

    def connected_accounts(self, api_key: str) -> set[str]:
        """What the key lists."""
        self.asked.append(api_key)
        if api_key in self.silent:
            raise CallFailed("no answer")
        return self.lists.get(api_key, set())


@pytest.fixture
def lister() -> ManyKeys:
    """A platform that lists what it is told."""
    return ManyKeys()


@pytest.fixture
def make(virtual: VirtualRedis, lister: ManyKeys) -> Make:
    """`make(relay=…)`: a worker's housekeeping that has done nothing yet."""

    def housekeeping(relay: Relay | None = None, bucket: TokenBucket | None = None) -> Housekeeping:
        return Housekeeping("worker", relay or Relay(None, None), bucket or virtual.bucket(), lister, KEYS)

    return housekeeping


def _ready(virtual: VirtualRedis) -> list[int]:
    """Accounts that Redis knows to have something to do."""
    ready = virtual.client.zrange("{huntaze}:ready", 0, -1)
    return sorted(int(str(account)) for account in ready)


def test_a_tick_promotes_what_is_due(cast: Cast, make: Make) -> None:
    due, later = (accept(cast.ada, conversation) for conversation in cast.conversations[:2])
    change(due, status=Status.SCHEDULED)
    change(later, status=Status.SCHEDULED, due_at=due.due_at + timedelta(hours=1))
    make().tick()
    assert (fresh(due).status, fresh(later).status) == ("queued", "scheduled")


def test_a_tick_recovers_what_a_killed_worker_held(cast: Cast, make: Make) -> None:
    held, working = accept(cast.ada, cast.conversations[0]), accept(cast.eve, cast.eves_conversation)
    must_claim(cast.account)
    pass_time(timedelta(seconds=61))
    must_claim(cast.eves_account)
    make().tick()
    assert (fresh(held).status, held.next_step) == ("queued", "look_up")
    assert fresh(working).status == "sending"


def test_a_tick_gives_up_what_has_been_unclear_for_a_day(cast: Cast, make: Make) -> None:
    message = accept(cast.ada, cast.conversations[0])
    change(message, first_unclear_at=message.created_at, next_step="look_up")
    pass_time(timedelta(hours=24))
    make().tick()
    assert (fresh(message).status, message.error_code) == ("unknown", "KEY_EXPIRED")


def test_a_tick_tells_redis_of_all_work_that_it_forgot(cast: Cast, make: Make, virtual: VirtualRedis) -> None:
    accept(cast.ada, cast.conversations[0])
    accept(cast.eve, cast.eves_conversation)
    virtual.flush()
    make().tick()
    assert _ready(virtual) == sorted([cast.account.id, cast.eves_account.id])


@pytest.mark.usefixtures("cast")
def test_a_worker_is_alive_from_its_first_tick_until_it_leaves(make: Make) -> None:
    housekeeping = make()
    housekeeping.tick()
    assert heartbeat.alive("delivery") == 1
    housekeeping.leave()
    housekeeping.tick()
    # What was done a moment ago is not done again at the next look.
    assert heartbeat.alive("delivery") == 0
    housekeeping.due = dict.fromkeys(housekeeping.due, 0.0)
    housekeeping.tick()
    assert heartbeat.alive("delivery") == 1


@pytest.mark.usefixtures("cast")
def test_what_is_too_old_is_dropped_by_jobs_and_rarely(make: Make, virtual: VirtualRedis, redis_url: str) -> None:
    housekeeping = make()
    for _ in range(3):
        housekeeping.tick()
    with jobs.connect(redis_url) as link:
        asked_for = [job.func_name for job in jobs.queue(jobs.BACKGROUND, link).jobs]
    assert asked_for == [FORGET_OLD_KEYS, FORGET_DRAFTS, FORGET_OLD_EVENTS]


def test_money_that_changed_is_counted_by_a_job(cast: Cast, make: Make, redis_url: str) -> None:
    housekeeping = make()
    with jobs.connect(redis_url) as link:
        waiting = jobs.queue(jobs.INBOUND, link)
        housekeeping.roll_up()
        assert waiting.jobs == []
        pay(cast.account, "2026-11-01 12:00", 100)
        housekeeping.due = dict.fromkeys(housekeeping.due, 0.0)
        housekeeping.tick()
        housekeeping.roll_up()
        assert [job.func_name for job in waiting.jobs].count(ROLL_UP) == 1


def test_without_redis_the_duties_of_the_database_are_done(cast: Cast, make: Make, tmp_path: Path) -> None:
    message = accept(cast.ada, cast.conversations[0])
    must_claim(cast.account)
    pass_time(timedelta(seconds=61))
    bucket = TokenBucket(connect_redis(f"unix://{tmp_path}/nobody.sock"), LIMIT, TIMEOUT)
    with pytest.raises(redis.RedisError):
        make(bucket=bucket).tick()
    assert fresh(message).status == "queued"
    assert heartbeat.alive("delivery") == 1


def test_a_duty_that_the_database_refuses_holds_up_no_other(cast: Cast, make: Make) -> None:
    _rename("message", "message_away")
    with pytest.raises(SQLAlchemyError):
        make().tick()
    db.session.rollback()
    _rename("message_away", "message")
    assert heartbeat.alive("delivery") == 1


def _rename(old: str, new: str) -> None:
    db.session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
    db.session.commit()


def _unpublished(cast: Cast) -> Message:
    message = accept(cast.ada, cast.conversations[0], received=False)
    pass_time(timedelta(seconds=3))
    return message


def test_handing_on_publishes_and_buries(
    cast: Cast, make: Make, relay: Relay, queue: UnrulyQueue, dead_letters: UnrulyQueue
) -> None:
    waiting = _unpublished(cast)
    failed = _unpublished(cast)
    change(failed, status="failed", error="the reason")
    assert not make(relay).hand_on()
    assert [body["messageId"] for body in drain(queue)] == [waiting.public_id]
    assert [body["reason"] for body in drain(dead_letters)] == ["the reason"]


def test_without_a_queue_rows_are_handed_over_and_their_accounts_ready(
    cast: Cast, make: Make, virtual: VirtualRedis
) -> None:
    message = _unpublished(cast)
    assert make().hand_on()
    assert fresh(message).received_at is not None
    assert _ready(virtual) == [cast.account.id]
    assert not make().hand_on()


def _refuse(*accounts: Account, key: str | None = None) -> None:
    for account in accounts:
        connection.require_reconnect(account.id, "sign in again")
        with transaction():
            db.session.get_one(Account, account.id).api_key_encrypted = key
    pass_time(timedelta(seconds=31))


def _waits(account: Account) -> bool:
    db.session.refresh(account)
    return account.reconnect_since is not None


def test_an_account_goes_on_when_its_key_lists_it_as_signed_in(
    cast: Cast, make: Make, lister: ManyKeys, virtual: VirtualRedis
) -> None:
    _refuse(cast.account, cast.beas_account)
    lister.lists["deployment-key"] = {cast.account.platform_id, "acct_somebody_elses"}
    make().probe()
    assert (_waits(cast.account), _waits(cast.beas_account)) == (False, True)
    assert _ready(virtual) == [cast.account.id]
    assert lister.asked == ["deployment-key"]


def test_a_key_that_is_silent_or_unreadable_holds_up_no_other(cast: Cast, make: Make, lister: ManyKeys) -> None:
    _refuse(cast.account, key=KEYS.encrypt("silent-key"))
    _refuse(cast.beas_account, key="nonsense")
    _refuse(cast.eves_account, key=KEYS.encrypt("good-key"))
    lister.silent = {"silent-key"}
    for account in (cast.account, cast.beas_account, cast.eves_account):
        lister.lists.setdefault("good-key", set()).add(account.platform_id)
    make().probe()
    accounts = (cast.account, cast.beas_account, cast.eves_account)
    assert [_waits(account) for account in accounts] == [True, True, False]


def test_a_probe_is_not_repeated_before_its_time(cast: Cast, make: Make, lister: ManyKeys) -> None:
    _refuse(cast.account)
    for _ in range(3):
        make().probe()
    assert lister.asked == ["deployment-key"]
