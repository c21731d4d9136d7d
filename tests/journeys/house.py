"""A house: database, parts and workers of one deployment, with short limits so that a journey takes seconds."""

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from shutil import rmtree

import httpx
import pytest
import redis
from sqlalchemy import Executable, update
from werkzeug.serving import make_server

import config
from app import create_app
from app.accounts import service as accounts
from app.accounts.models import Account, Role
from app.db import transaction
from app.delivery import stop
from app.delivery.dispatcher import CHORE_SECONDS
from app.delivery.models import WorkerHeartbeat
from app.delivery.token_bucket import PREFIX
from app.extensions import db
from app.messages.claims import CHORE_LEASE, LEASE
from app.messages.handover import UNRECEIVED_AFTER
from app.messages.models import Message, Status
from tests.embedded.platform.sim import Json
from tests.journeys.absence import away
from tests.journeys.authors import PASSWORD, Author
from tests.journeys.parts import Parts, is_running, thaw
from tests.journeys.waiting import until
from tests.journeys.workers import Worker

LIMIT, WINDOW, GAP, TIMEOUT = 6, 2.0, 0.2, 1.0
# So long after its time-out a call counts as ended when nobody saw its end.
CALL_GRACE = 5.0
DEAD_AFTER = timedelta(seconds=4)
HURRY_EVERY = 0.5
LIMITS = {
    "RATE_LIMIT_MESSAGES": str(LIMIT),
    "RATE_LIMIT_WINDOW_SECONDS": str(WINDOW),
    "RATE_LIMIT_MIN_GAP_SECONDS": str(GAP),
    "PLATFORM_TIMEOUT_SECONDS": str(TIMEOUT),
    "API_RATE_LIMITS": "off",
    "CLOUDWATCH_NAMESPACE": "off",
    "LOG_LEVEL": "WARNING",
}
BYTECODE = Path(tempfile.gettempdir(), "huntaze-bytecode")


class House:
    """Everything of one deployment; `app` is the door through which the journey itself acts and looks."""

    def __init__(self, directory: Path, parts: Parts, database_url: str, **overrides: str) -> None:
        self.directory = directory
        self.database_away = partial(away, database_url)
        self.parts = parts
        self.sim = parts.sim
        self.environment = LIMITS | parts.environment() | {"DATABASE_URL": database_url} | overrides
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            self.app = create_app(config.load(self.environment))
            desk = self.app.extensions["desk"]
            # Made now, while boto3 finds its endpoint and keys around it.
            assert desk.queue.client
            assert desk.dead_letters.client
        self.workers: list[Worker] = []
        self._hurried_at = 0.0
        self._dead: list[Json] = []
        self._numbers = count(1)

    def start_worker(self, **overrides: str) -> Worker:
        """Start one more `worker.py`, and wait until it delivers."""
        number = next(self._numbers)
        worker = Worker(self.environment | overrides, self.directory, number)
        self.workers.append(worker)
        until(lambda: self.delivers(worker), worker.log, 120)
        return worker

    def delivers(self, worker: Worker) -> bool:
        """Whether a delivery process of this worker has said that it is alive."""
        assert worker.runs(), worker.log()
        with self.app.app_context():
            query = db.select(WorkerHeartbeat.name).where(WorkerHeartbeat.name.contains(f"-{worker.pid}-delivery-"))
            return db.session.scalar(query) is not None

    @contextmanager
    def web(self) -> Iterator[httpx.Client]:
        """A client of the web process' doors, which answer real requests on loopback."""
        server = make_server("127.0.0.1", 0, self.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client:
                yield client
        finally:
            server.shutdown()
            server.server_close()
            thread.join(timeout=10)

    def author(self) -> Author:
        """A new creator with an account of their own, so that no journey touches another's limits."""
        number = next(self._numbers)
        with self.app.app_context(), transaction():
            name = f"author{number}"
            user = accounts.create_user(f"{name}@example.com", name, Role.CREATOR, PASSWORD)
            account = Account(platform_id=f"acct_{name}", owner_id=user.id, display_name=name)
            db.session.add(account)
            db.session.flush()
            return Author(self.app, self.sim, user.email, user.id, account.id, account.platform_id)

    def dead_letters(self, containing: str) -> list[Json]:
        """What lies in the dead letters and speaks of this, as JSON; it stays there for this house."""
        self._dead += [json.loads(body) for body in self.parts.drain(self.parts.endpoint.dlq_url)]
        return [letter for letter in self._dead if containing in json.dumps(letter)]

    def execute(self, statement: Executable) -> None:
        """Change the database behind the product's back: it is quicker than to wait."""
        with self.app.app_context(), transaction():
            db.session.execute(statement)

    def hurry(self) -> None:
        """Let a minute's wait pass in seconds where nobody works any more: leases of the killed, tickets that got lost.

        A lease is 60 s for a call of 20 s at most; a call takes 1 s here, so one that is 4 s old is as good as dead.
        """
        if time.monotonic() < self._hurried_at + HURRY_EVERY:
            return
        self._hurried_at = time.monotonic()
        now = datetime.now(UTC)
        past = now - timedelta(seconds=1)
        ages = ((Status.SENDING, LEASE - DEAD_AFTER), (Status.QUEUED, CHORE_LEASE - 2 * DEAD_AFTER))
        for status, left in ages:
            dead = (Message.status == status) & (Message.lease_until < now + left)
            self.execute(update(Message).where(dead).values(lease_until=past))
        with redis.Redis.from_url(self.parts.redis_url) as client:
            for key in client.scan_iter(f"{PREFIX}:flights:*"):
                self._forget_dead_chores(client, key)
        lost = Message.received_at.is_(None) & (Message.published_at < now - DEAD_AFTER)
        self.execute(update(Message).where(lost).values(published_at=now - UNRECEIVED_AFTER))

    @staticmethod
    def _forget_dead_chores(client: redis.Redis, key: bytes) -> None:
        """A look-up counts as in the air for a minute; one that began 8 s ago isn't."""
        seconds, microseconds = client.time()
        now_ms = seconds * 1000 + microseconds // 1000
        begun_ms = (CHORE_SECONDS - 2 * DEAD_AFTER.total_seconds()) * 1000
        client.zremrangebyscore(key, now_ms + (TIMEOUT + 2 * CALL_GRACE) * 1000, now_ms + begun_ms)

    def probe_now(self) -> None:
        """Have refused logins tried again with the next look (every 10 s) instead of in half a minute."""
        self.execute(update(Account).where(Account.probe_at.is_not(None)).values(probe_at=datetime.now(UTC)))

    @contextmanager
    def paused_workers(self) -> Iterator[None]:
        """Inside, no delivery process moves."""
        pids = [pid for worker in self.workers if (pid := worker.delivery_pid())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def recover(self) -> None:
        """Take back what the last journey did, whatever came of it."""
        for part in (self.parts.redis, self.parts.sqs, self.parts.platform):
            if is_running(part):
                thaw(part)
        if any(worker.killed for worker in self.workers):
            # The looks of the dead at the queue still wait there, and would take the next journey's tickets.
            self.parts.sqs.kill()
        self.parts.start()
        self.sim.works_again()
        # After a failure the door leaves the queue alone for a while; the next journey's queue is sound.
        self.app.extensions["desk"].relay.skip_until = 0.0
        with self.app.app_context():
            stop.clear_stop(None)
        open_ends = [Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.UNKNOWN]
        self.execute(update(Message).where(Message.status.in_(open_ends)).values(status=Status.CANCELED))
        alive = [worker for worker in self.workers if worker.runs()]
        for worker in alive[1:] + [worker for worker in self.workers if worker not in alive]:
            worker.stop()
        self.workers = alive[:1]
        for worker in self.workers:
            worker.killed = False

    def close(self) -> None:
        """End every process and connection."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.stop()
        with self.app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        self.app.extensions["desk"].bucket.client.close()


Open = Callable[..., House]


@contextmanager
def open_house(database_url: str, simulate: tuple[str, ...] = (), **overrides: str) -> Iterator[House]:
    """A house with parts of its own and no worker yet; everything ends with the block."""
    directory = Path(tempfile.mkdtemp(prefix="hz-j-"))
    with _compiled_once():
        parts = Parts(directory, simulate)
        try:
            parts.start()
            house = House(directory, parts, database_url, **overrides)
            try:
                yield house
            finally:
                house.close()
        finally:
            parts.stop()
            rmtree(directory, ignore_errors=True)


@contextmanager
def _compiled_once() -> Iterator[None]:
    """A journey starts the same programs over and over: where Python may write no bytecode, that takes most of it."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(BYTECODE))
        yield
