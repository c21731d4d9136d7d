"""The worker: `python worker.py` starts a delivery and a background RQ worker, and restarts one that ends.

It also sees to it, at start and every five seconds, that the delivery worker has its next slice waiting, whatever
became of Redis or of the process before. Any number of workers may run at once, on any number of machines.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import FrameType

import redis
from rq import SimpleWorker, Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from app import create_app, jobs, settings_or_exit
from app.delivery import slices, wiring
from app.delivery.pipeline import Pipeline
from app.extensions import REDIS_URL_UNSET, db

log = logging.getLogger("worker")
TICK = 5.0
RESTART_PAUSE = 1.0
END_WITHIN = 30.0
WORKER_TTL = 60
WITHOUT_RQ = 2.0


class DeliveryWorker(SimpleWorker):
    """Runs slices in its own process, because couriers and their connections outlive a slice."""

    max_connection_wait_time = 2.0
    pipeline: Pipeline

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM: the running slice ends at once."""
        self.pipeline.stop()
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]


class BackgroundWorker(Worker):
    """Runs each job in a fork, which must not share the parent's database connections."""

    max_connection_wait_time = 2.0

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the fork."""
        db.engine.dispose(close=False)
        super().main_work_horse(job, queue)


def deliver(name: str) -> None:
    """A delivery worker's life. When RQ can't reach Redis, the pipeline goes on recording without it."""
    app = create_app()
    settings = app.extensions["settings"]
    pipeline = wiring.pipeline(settings, name, app.app_context)
    slices.bind(pipeline)
    _end_with_parent()
    for life in range(sys.maxsize):
        try:
            worker = DeliveryWorker(
                [jobs.delivery_queue(name)],
                name=f"{name}-{life}",
                connection=jobs.connect(settings.redis_url),
                serializer=JSONSerializer,
                worker_ttl=WORKER_TTL,
            )
            worker.pipeline = pipeline
            worker.work(logging_level="WARNING")
        except redis.RedisError as error:
            log.warning("rq_without_redis", extra={"reason": type(error).__name__})
        if pipeline.stopping.is_set():
            break
        signal.signal(signal.SIGTERM, lambda *_: pipeline.stop())
        signal.signal(signal.SIGINT, lambda *_: pipeline.stop())
        pipeline.run_slice(WITHOUT_RQ)
    pipeline.close()
    os._exit(0)  # A hung call's thread must not keep the process.


def work_in_background(name: str) -> None:
    """A background worker's life."""
    app = create_app()
    _end_with_parent()
    with app.app_context():
        worker = BackgroundWorker(
            [jobs.BACKGROUND],
            name=name,
            connection=jobs.connect(app.extensions["settings"].redis_url),
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
        )
        worker.work(logging_level="WARNING")


def _end_with_parent() -> None:
    """Stop like after a SIGTERM when the parent is gone: nobody would restart or stop this process any more."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


class Manager:
    """Starts the worker processes, restarts those that end, and keeps slices waiting."""

    def __init__(self, redis_url: str | None) -> None:
        self.connection = redis.Redis.from_url(
            redis_url or REDIS_URL_UNSET, socket_timeout=2.0, socket_connect_timeout=2.0
        )
        self.base = f"{socket.gethostname()}-{os.getpid()}"
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.started = 0
        self.delivery_name = ""
        self.stopping = threading.Event()

    def run(self) -> int:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        slice_at = 0.0
        while not self.stopping.is_set():
            for kind in ("delivery", "background"):
                self._keep_running(kind)
            if time.monotonic() >= slice_at:
                slice_at = time.monotonic() + TICK
                self._keep_a_slice_waiting()
            self.stopping.wait(RESTART_PAUSE)
        self._end_children()
        return 0

    def _keep_running(self, kind: str) -> None:
        child = self.children.get(kind)
        if child is not None and child.poll() is None:
            return
        if child is not None:
            log.error("worker_ended", extra={"kind": kind, "exit_code": child.returncode})
        self.started += 1
        name = f"{self.base}-{kind}-{self.started}"
        if kind == "delivery":
            self.delivery_name = name
        self.children[kind] = subprocess.Popen([sys.executable, __file__, kind, name])  # noqa: S603 - our own file
        if kind == "delivery":
            self._keep_a_slice_waiting()

    def _keep_a_slice_waiting(self) -> None:
        try:
            jobs.keep_a_slice_waiting(self.connection, self.delivery_name)
        except redis.RedisError as error:
            log.warning("redis_away", extra={"reason": type(error).__name__})

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def _end_children(self) -> None:
        for child in self.children.values():
            child.terminate()
        ends = time.monotonic() + END_WITHIN
        for child in self.children.values():
            try:
                child.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


def main(arguments: list[str]) -> int:
    """`worker.py`, or for its own children `worker.py delivery|background NAME`."""
    match arguments:
        case []:
            settings = settings_or_exit()
            create_app(settings)
            return Manager(settings.redis_url).run()
        case ["delivery", name]:
            deliver(name)
        case ["background", name]:
            work_in_background(name)
        case _:
            print("usage: worker.py", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
