"""The worker's manager and its children: they are restarted, given slices, ended with it, and never outlive it."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest
import redis
from flask import Flask
from rq.serializers import JSONSerializer
from sqlalchemy import text

import worker
from app import jobs
from app.delivery import heartbeat
from app.extensions import db
from app.messages.models import Message, Status
from embedded.child import ROOT, python
from tests.journeys.waiting import until
from tests.journeys.workers import Worker
from tests.messages.line import fresh, queue
from tests.support.apps import Environment
from tests.support.cast import Cast

ENDS_SOON = 12.0
NOBODYS_PID = 1


def live(name: str, manager: int) -> None:
    """A child that does nothing until it is told to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    time.sleep(60)


class IdleManager(worker.Manager):
    """A manager of children that do nothing."""

    KINDS: ClassVar[dict[str, Callable[[str, int], None]]] = dict.fromkeys(worker.Manager.KINDS, live)

    def pid(self, kind: str) -> int:
        """The process id of the child of this kind, once there is one."""
        return until(lambda: kind in self.children and self.children[kind].pid, f"a child: {kind}") or 0


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """What a manager or a worker sets is set back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def manager(redis_url: str) -> IdleManager:
    """A manager that doesn't run yet."""
    return IdleManager(redis_url)


def _while_it_runs(manager: IdleManager, story: Callable[[], object]) -> None:
    """Run the manager in this thread, as signals need it, and the story beside it; then end it as SIGTERM does."""
    faults: list[BaseException] = []

    def tell() -> None:
        try:
            story()
        except BaseException as error:
            faults.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=tell)
    thread.start()
    manager.run()
    thread.join(10)
    if faults:
        raise faults[0]


def _slices(redis_url: str, name: str) -> int:
    with jobs.connect(redis_url) as connection:
        return jobs.queue(jobs.delivery_queue(name), connection).count


def _exists(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_each_kind_has_one_child_and_they_end_with_the_manager(manager: IdleManager) -> None:
    pids: list[int] = []
    _while_it_runs(manager, lambda: pids.extend(manager.pid(kind) for kind in manager.KINDS))
    assert len(set(pids)) == 3
    assert not any(_exists(pid) for pid in pids)


def test_a_child_that_ends_is_replaced_under_another_name(manager: IdleManager, redis_url: str) -> None:
    def story() -> None:
        killed, other = manager.pid("delivery"), manager.pid("background")
        first = manager.delivery_name
        os.kill(killed, signal.SIGKILL)
        until(lambda: manager.delivery_name != first, "another name")
        until(lambda: _slices(redis_url, manager.delivery_name) == 1, "its slice")
        assert manager.pid("delivery") not in (killed, other)
        assert manager.pid("background") == other

    _while_it_runs(manager, story)


def test_one_slice_waits_and_is_put_back_after_redis_lost_it(manager: IdleManager, redis_url: str) -> None:
    def story() -> None:
        until(lambda: _slices(redis_url, manager.delivery_name), "the first slice")
        # The child's start has put it there, and so would have the first tick.
        time.sleep(3 * worker.LOOK_EVERY)
        assert _slices(redis_url, manager.delivery_name) == 1
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        until(lambda: _slices(redis_url, manager.delivery_name), "the slice after the loss", worker.TICK + 3)

    _while_it_runs(manager, story)


def test_without_redis_it_goes_on_looking_after_its_children(tmp_path: Path) -> None:
    manager = IdleManager(f"unix://{tmp_path}/nobody.sock")

    def story() -> None:
        killed = manager.pid("background")
        os.kill(killed, signal.SIGKILL)
        until(lambda: manager.pid("background") != killed, "another child")

    _while_it_runs(manager, story)


@pytest.mark.parametrize("life", ["deliver", "take_in", "work_in_background"])
def test_a_child_whose_manager_died_before_it_looked_ends_at_once(
    environment: Environment, app: Flask, life: str
) -> None:
    program = f"import worker; worker.{life}('orphan', {NOBODYS_PID})"
    child = subprocess.Popen(python("-c", program), cwd=ROOT, env={**os.environ, **environment()})
    try:
        assert child.wait(ENDS_SOON * 2) in (-signal.SIGTERM, 0)
    finally:
        child.kill()
        child.wait()
    assert heartbeat.alive("delivery") == 0


@pytest.fixture
def make_worker(environment: Environment, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """`make_worker(REDIS_URL=…)`: a real `python worker.py`; whatever is left of it ends with the test."""
    workers: list[Worker] = []

    def make(**overrides: str) -> Worker:
        workers.append(Worker(environment(**overrides), tmp_path, len(workers)))
        return workers[-1]

    yield make
    for one in workers:
        one.stop()


def _ends(one: Worker, within: float = ENDS_SOON) -> int | None:
    until(lambda: one.child.exit_code() is not None, one.log, within)
    return one.child.exit_code()


@pytest.mark.usefixtures("aws", "platform")
def test_it_delivers_until_it_is_asked_to_end(make_worker: Callable[..., Worker], cast: Cast) -> None:
    one = make_worker()
    message = queue(cast.ada, cast.conversations[0], received=False)
    until(lambda: _status(message) == Status.SENT, one.log)
    assert heartbeat.alive("delivery") == 1
    began = time.monotonic()
    one.terminate()
    assert _ends(one) == 0
    # A slice takes 25 s: it was told to end, not waited for.
    assert time.monotonic() - began < ENDS_SOON
    db.session.rollback()
    assert heartbeat.alive("delivery") == 0


def _status(message: Message) -> str:
    db.session.rollback()
    return fresh(message).status


@pytest.mark.usefixtures("aws", "platform")
def test_its_children_do_not_outlive_a_killed_manager(make_worker: Callable[..., Worker], app: Flask) -> None:
    one = make_worker()
    children = until(lambda: _all_children(one.pid), one.log)
    until(lambda: _alive() == 1, one.log)
    one.kill_manager()
    until(lambda: not any(_exists(pid) for pid in children), "the end of the children", ENDS_SOON)


def _alive() -> int:
    db.session.rollback()
    return heartbeat.alive("delivery")


def _all_children(pid: int) -> list[int]:
    listed = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return listed if len(listed) == len(worker.Manager.KINDS) else []


@pytest.mark.usefixtures("aws")
def test_without_redis_it_lives_and_takes_messages_in(
    make_worker: Callable[..., Worker], cast: Cast, tmp_path: Path
) -> None:
    one = make_worker(REDIS_URL=f"unix://{tmp_path}/nobody.sock")
    until(lambda: _alive() == 1, one.log)
    message = queue(cast.ada, cast.conversations[0], received=False)
    until(lambda: _received(message), one.log)
    assert _status(message) == Status.QUEUED
    one.terminate()
    assert _ends(one) == 0


def _received(message: Message) -> bool:
    db.session.rollback()
    return fresh(message).received_at is not None


def test_senseless_settings_stop_it_with_one_clear_line(make_worker: Callable[..., Worker]) -> None:
    one = make_worker(RATE_LIMIT_MESSAGES="many")
    assert _ends(one) == 1
    assert "RATE_LIMIT_MESSAGES" in one.log()
    assert len(one.log().strip().splitlines()) == 1


def note_backend(redis_url: str) -> None:
    """A job: which of the database's own processes serves it."""
    backend = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with redis.Redis.from_url(redis_url) as client:
        client.set("backend", backend)


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_jobs_fork_has_a_database_connection_of_its_own(app: Flask, redis_url: str) -> None:
    ours = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    db.session.rollback()
    with jobs.connect(redis_url) as connection:
        jobs.enqueue(connection, "tests.test_worker.note_backend", redis_url)
        one = worker.BackgroundWorker([jobs.BACKGROUND], connection=connection, serializer=JSONSerializer)
        one.work(burst=True, logging_level="WARNING")
        theirs = connection.get("backend")
    assert theirs is not None
    assert int(theirs) != ours
    assert db.session.execute(text("SELECT pg_backend_pid()")).scalar_one() == ours
