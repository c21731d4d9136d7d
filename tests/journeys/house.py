"""A house: database, parts and workers of one deployment, with short limits so that a journey takes seconds."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from shutil import rmtree

import pytest
from sqlalchemy import Executable, update

import config
from app import create_app
from app.accounts import service as accounts
from app.accounts.models import Account, Role
from app.db import transaction
from app.delivery import stop
from app.delivery.models import WorkerHeartbeat
from app.extensions import db
from app.messages.models import Message, Status
from tests.journeys.authors import PASSWORD, Author
from tests.journeys.parts import Parts, is_running, thaw
from tests.journeys.waiting import until
from tests.journeys.workers import Worker

LIMIT, WINDOW, GAP, TIMEOUT = 6, 2.0, 0.2, 1.0
# What the product says counts as a call's end when nobody saw it, and how long it waits after a loss of Redis.
CALL_GRACE, LOSS_GRACE = 5.0, 5.0
LIMITS = {
    "RATE_LIMIT_MESSAGES": str(LIMIT),
    "RATE_LIMIT_WINDOW_SECONDS": str(WINDOW),
    "RATE_LIMIT_MIN_GAP_SECONDS": str(GAP),
    "PLATFORM_TIMEOUT_SECONDS": str(TIMEOUT),
    "API_RATE_LIMITS": "off",
    "LOG_LEVEL": "WARNING",
}
BYTECODE = Path(tempfile.gettempdir(), "huntaze-bytecode")


class House:
    """Everything of one deployment; `app` is the door through which the journey itself acts and looks."""

    def __init__(self, directory: Path, parts: Parts, database_url: str, **overrides: str) -> None:
        self.directory = directory
        self.parts = parts
        self.sim = parts.sim
        self.environment = LIMITS | parts.environment() | {"DATABASE_URL": database_url} | overrides
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)  # boto3 looks for its endpoint here
            self.app = create_app(config.load(self.environment))
        self.workers: list[Worker] = []
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

    def author(self) -> Author:
        """A new creator with an account of their own, so that no journey touches another's limits."""
        number = next(self._numbers)
        with self.app.app_context(), transaction():
            name = f"author{number}"
            user = accounts.create_user(f"{name}@example.com", name, Role.CREATOR, PASSWORD)
            account = Account(platform_id=f"acct_{name}", owner_id=user.id, display_name=name)
            db.session.add(account)
            db.session.flush()
            return Author(self.app, self.sim, user.id, account.id, account.platform_id)

    def execute(self, statement: Executable) -> None:
        """Change the database behind the product's back: it is quicker than to wait."""
        with self.app.app_context(), transaction():
            db.session.execute(statement)

    def recover(self) -> None:
        """Take back what the last journey did, whatever came of it."""
        for part in (self.parts.redis, self.parts.sqs, self.parts.platform):
            if is_running(part):
                thaw(part)
        self.parts.start()
        self.sim.works_again()
        with self.app.app_context():
            stop.clear_stop(None)
        open_ends = [Status.SCHEDULED, Status.QUEUED, Status.SENDING, Status.UNKNOWN]
        self.execute(update(Message).where(Message.status.in_(open_ends)).values(status=Status.CANCELED))
        alive = [worker for worker in self.workers if worker.runs()]
        for worker in alive[1:] + [worker for worker in self.workers if worker not in alive]:
            worker.stop()
        self.workers = alive[:1]

    def close(self) -> None:
        """End every process and connection."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.stop()
        with self.app.app_context():
            db.engine.dispose()
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
