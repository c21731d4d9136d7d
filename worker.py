"""The worker: `python worker.py` starts a delivery, an inbound and a background RQ worker, and restarts what ends.

It also sees to it, at start and every five seconds, that the delivery worker has its next slice waiting, whatever
became of Redis or of the process before. Any number of workers may run at once, on any number of machines.
"""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import ClassVar

import redis
from flask import Flask
from rq import SimpleWorker, Worker
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from app import create_app, jobs, settings_or_exit
from app.delivery import checking, slices, wiring
from app.delivery.pipeline import Pipeline
from app.extensions import REDIS_URL_UNSET, db
from app.gateways import metrics
from app.inbound import sync

log = logging.getLogger("worker")
TICK = 5.0
LOOK_EVERY = 0.2
RESTART_PAUSE = 0.5
END_WITHIN = 24.0
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


class InboundWorker(SimpleWorker):
    """Runs short jobs in its own process: a fork for each would take longer than most of them."""

    max_connection_wait_time = 2.0
    app: Flask

    def execute_job(self, job: Job, queue: Queue) -> None:
        """With a session of its own, as in a fork."""
        with self.app.app_context():
            super().execute_job(job, queue)


class BackgroundWorker(Worker):
    """Runs each job in a fork, which must not share the parent's database connections."""

    max_connection_wait_time = 2.0

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the fork."""
        for engine in db.engines.values():
            engine.dispose(close=False)
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """In the fork too, which ends without the usual exit."""
        try:
            return super().perform_job(job, queue, execution)
        finally:
            metrics.close()


def deliver(name: str, manager: int) -> None:
    """A delivery worker's life. When RQ can't reach Redis, the pipeline goes on recording without it."""
    app = _app_of_child("delivery", manager)
    settings = app.extensions["settings"]
    pipeline = wiring.pipeline(settings, name, app.app_context)
    slices.bind(pipeline)
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
    metrics.close()
    os._exit(0)  # A hung call's thread must not keep the process.


def take_in(name: str, manager: int) -> None:
    """An inbound worker's life: what the platform tells isn't held up by anything long."""
    app = _app_of_child("inbound", manager)
    worker = InboundWorker(
        [jobs.INBOUND],
        name=name,
        connection=jobs.connect(app.extensions["settings"].redis_url),
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
    )
    worker.app = app
    worker.work(logging_level="WARNING")


def work_in_background(name: str, manager: int) -> None:
    """A background worker's life."""
    app = _app_of_child("background", manager)
    checking.bind(partial(wiring.courier, app.extensions["settings"]))
    sync.bind(partial(wiring.reader, app.extensions["settings"]))
    with app.app_context():
        worker = BackgroundWorker(
            [jobs.INBOUND, jobs.BACKGROUND],
            name=name,
            connection=jobs.connect(app.extensions["settings"].redis_url),
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
        )
        worker.work(logging_level="WARNING")


def _app_of_child(kind: str, manager: int) -> Flask:
    """What every child begins with: signals as a new process has them, a name for `top`, an eye on the manager."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError):
        Path("/proc/self/comm").write_text(kind)
    threading.Thread(target=_end_with_parent, args=(manager,), name="parent-watch", daemon=True).start()
    app = create_app()
    # What is loaded for good: to look through all of it would stop every thread for 0.2 s.
    gc.collect()
    gc.freeze()
    return app


def _end_with_parent(parent: int) -> None:
    """Stop like after a SIGTERM when the parent is gone: nobody would restart or stop this process any more.

    The parent says who it is: it may have gone before its child could ask.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


class Manager:
    """Starts the worker processes, restarts those that end, and keeps slices waiting.

    Children are forks, so that a restart costs no second import; where forking is unsafe (macOS) they are spawned.
    """

    KINDS: ClassVar[dict[str, Callable[[str, int], None]]] = {
        "delivery": deliver,
        "inbound": take_in,
        "background": work_in_background,
    }

    def __init__(self, redis_url: str | None) -> None:
        self.connection = redis.Redis.from_url(
            redis_url or REDIS_URL_UNSET, socket_timeout=2.0, socket_connect_timeout=2.0
        )
        fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")
        self.new_process = fork.Process if sys.platform == "linux" else spawn.Process
        self.base = f"{socket.gethostname()}-{os.getpid()}"
        self.children: dict[str, BaseProcess] = {}
        self.started = 0
        self.delivery_name = ""
        self.stopping = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        slice_at = 0.0
        while not self.stopping:
            for kind in self.KINDS:
                self._keep_running(kind)
            if time.monotonic() >= slice_at:
                slice_at = time.monotonic() + TICK
                self._keep_a_slice_waiting()
            time.sleep(LOOK_EVERY)
        self._end_children()

    def _keep_running(self, kind: str) -> None:
        child = self.children.get(kind)
        if child is not None and child.is_alive():
            return
        if child is not None:
            log.error("worker_ended", extra={"kind": kind, "exit_code": child.exitcode})
            time.sleep(RESTART_PAUSE)
        self.started += 1
        name = f"{self.base}-{kind}-{self.started}"
        process = self.new_process(target=self.KINDS[kind], args=(name, os.getpid()), name=name)
        process.start()
        self.children[kind] = process
        if kind == "delivery":
            self.delivery_name = name
            self._keep_a_slice_waiting()

    def _keep_a_slice_waiting(self) -> None:
        try:
            jobs.keep_a_slice_waiting(self.connection, self.delivery_name)
        except redis.RedisError as error:
            log.warning("redis_away", extra={"reason": type(error).__name__})
        finally:
            # A child that is forked later must not share this connection.
            self.connection.connection_pool.disconnect()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _end_children(self) -> None:
        for child in self.children.values():
            child.terminate()
        ends = time.monotonic() + END_WITHIN
        for child in self.children.values():
            child.join(max(0.1, ends - time.monotonic()))
            if child.is_alive():
                child.kill()


def main() -> None:
    """Check the configuration, then work until told to stop."""
    settings = settings_or_exit()
    create_app(settings)
    Manager(settings.redis_url).run()


if __name__ == "__main__":
    main()
