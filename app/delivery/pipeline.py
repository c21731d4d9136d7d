"""The pipeline of one worker process: what talks to SQS in threads of its own, everything else in the slice's loop.

Its threads belong to the process, not to the job: a slice ends by returning, whatever is in the air. When no slice has
run for a while (nobody asks this process to deliver any more), the threads rest too.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import redis
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.delivery.dispatcher import Dispatcher
from app.delivery.gauges import Gauges
from app.delivery.housekeeping import Housekeeping
from app.delivery.intake import Intake
from app.gateways.sqs import QueueUnavailable

log = logging.getLogger(__name__)
LOOK_EVERY = 0.25
ROUND_AT_LEAST = 0.05
CHORES_EVERY = 0.5
AFTER_A_FAULT = 1.0
LONG_POLL = 10
PROBE_EVERY = 10.0
RELAY_EVERY = 0.5
READING_EVERY = 2.0
GAUGES_EVERY = 60.0
ACTIVE_FOR = 10.0
CLOSE_WITHIN = 22.0


class Pipeline:
    """Runs delivery in slices. `sending` False: the limiter is switched off, messages are taken in and kept."""

    def __init__(
        self,
        context: Callable[[], AbstractContextManager[object]],
        dispatcher: Dispatcher,
        housekeeping: Housekeeping,
        intake: Intake | None,
        sending: bool,
        gauges: Gauges | None = None,
    ) -> None:
        self.context = context
        self.dispatcher = dispatcher
        self.housekeeping = housekeeping
        self.intake = intake
        self.sending = sending
        self.gauges = gauges
        self.active_until = 0.0
        self.chores_at = 0.0
        self.stopping = threading.Event()
        self.threads: list[threading.Thread] = []

    def run_slice(self, seconds: float) -> None:
        """Deliver for `seconds`, or until stop() is called; returns without waiting for calls in the air."""
        self._start_threads()
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self.stopping.is_set():
            began = time.monotonic()
            self.active_until = began + ACTIVE_FOR
            wait = self.step()
            if wait > 0:
                self.dispatcher.wake.wait(min(wait, LOOK_EVERY))
            self.dispatcher.wake.clear()
            # Under load, rounds gather what has landed: their cost is a round's, not a message's.
            time.sleep(max(0.0, began + ROUND_AT_LEAST - time.monotonic()))

    def step(self) -> float:
        """One round: record, dispatch, do chores, keep house. Seconds until the next one makes sense."""
        try:
            with self.context():
                self.housekeeping.look_back()
                wait = self._dispatch() if self.sending else LOOK_EVERY
                self.housekeeping.tick()
        except redis.ResponseError:
            log.exception("redis_refused")
            return AFTER_A_FAULT
        except redis.RedisError as error:
            log.warning("redis_away", extra={"reason": type(error).__name__})
            return self._without_redis()
        except DBAPIError as error:
            log.warning("database_away", extra={"reason": type(error).__name__})
            return AFTER_A_FAULT
        except Exception:
            log.exception("round_failed")
            return AFTER_A_FAULT
        return wait

    def stop(self) -> None:
        """Ask the running slice and the threads to end; safe in a signal handler."""
        self.stopping.set()
        self.dispatcher.wake.set()

    def close(self) -> None:
        """After the last slice: wait for the calls in the air (bounded), write their ends down."""
        self.stop()
        try:
            with self.context():
                self.dispatcher.close(CLOSE_WITHIN)
                self.housekeeping.leave()
        except (redis.RedisError, SQLAlchemyError) as error:
            log.warning("closed_unrecorded", extra={"reason": type(error).__name__})

    def _dispatch(self) -> float:
        wait = self.dispatcher.dispatch_once()
        now = time.monotonic()
        if self.dispatcher.chores_wanted or now >= self.chores_at:
            self.chores_at = now + CHORES_EVERY
            self.dispatcher.chores_wanted = False
            self.dispatcher.dispatch_chores()
        return LOOK_EVERY if wait is None else wait

    def _without_redis(self) -> float:
        """Nothing can be sent, but messages go on being taken in, recovered and published."""
        try:
            with self.context():
                self.housekeeping.tick()
        except (redis.RedisError, SQLAlchemyError):
            log.debug("still_away")
        return AFTER_A_FAULT

    def _start_threads(self) -> None:
        if self.threads:
            return
        bodies: list[tuple[str, Callable[[], object], float]] = [
            ("probe", self.housekeeping.probe, PROBE_EVERY),
            ("relay", self._hand_on, RELAY_EVERY),
            ("reading", self.housekeeping.tell_read, READING_EVERY),
        ]
        if self.intake is not None:
            bodies.append(("intake", self._receive, 0.0))
        if self.gauges is not None:
            bodies.append(("gauges", self.gauges.read, GAUGES_EVERY))
        for name, body, pace in bodies:
            thread = threading.Thread(target=self._repeat, args=(name, body, pace), name=name, daemon=True)
            self.threads.append(thread)
            thread.start()

    def _receive(self) -> None:
        if self.intake is not None and self.intake.receive_once(LONG_POLL):
            self.dispatcher.wake.set()

    def _hand_on(self) -> None:
        if self.housekeeping.hand_on():
            self.dispatcher.wake.set()

    def _repeat(self, name: str, body: Callable[[], object], pace: float) -> None:
        """A thread's life: its body again and again while slices run, slower after a fault."""
        while not self.stopping.is_set():
            if time.monotonic() > self.active_until:
                self.stopping.wait(LOOK_EVERY)
                continue
            pause = pace
            try:
                with self.context():
                    body()
            except (QueueUnavailable, SQLAlchemyError, redis.RedisError) as error:
                log.warning(f"{name}_failed", extra={"reason": str(error)[:200]})
                pause = max(pace, AFTER_A_FAULT)
            except Exception:
                log.exception(f"{name}_fault")
                pause = max(pace, AFTER_A_FAULT)
            if pause:
                self.stopping.wait(pause)
