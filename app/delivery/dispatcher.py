"""The dispatcher: free slots → next rows → couriers, and back: reports → database → slots.

It runs in one thread, which alone touches database and Redis; couriers run in a pool and only call the platform.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import redis
from sqlalchemy.exc import SQLAlchemyError

from app.delivery import recorder, tally
from app.delivery.courier import Courier, Report
from app.delivery.pacer import Pacer
from app.delivery.token_bucket import Ended, Flight, Rest, Slot, Taken, TokenBucket
from app.messages import backlog, claims, media
from app.messages.claims import Envelope, Idle
from app.messages.models import Step
from app.messages.outcomes import Later

log = logging.getLogger(__name__)
CHORES_MOST = 16
CHORE_SECONDS = 65.0
PUT_OFF = 2.0
TOO_LATE = "The call would have begun too late; it is made with the next slot"


@dataclass(frozen=True, slots=True)
class Landed:
    """A step that came to its end: its report, and the flight (slot or chore) that it took.

    `idle`: for how many seconds the slot could have been had before, 0 for a chore.
    """

    report: Report
    flight: Ended
    idle: float

    @property
    def needs_a_look(self) -> bool:
        """Whether its account may have something to send that no other signal tells of."""
        return self.report.envelope.step != Step.SEND or isinstance(self.report.result, Later)


class Dispatcher:
    """Hands work to couriers. `wake` is set when there is something to look at before the next regular look."""

    def __init__(self, bucket: TokenBucket, courier: Courier, in_flight_most: int) -> None:
        self.bucket = bucket
        self.courier = courier
        self.pacer = Pacer(bucket.limit.min_gap)
        self.in_flight_most = in_flight_most
        self.calls = ThreadPoolExecutor(in_flight_most, "courier")
        self.chores = ThreadPoolExecutor(CHORES_MOST, "chore")
        self.landed: SimpleQueue[Landed] = SimpleQueue()
        self.unrecorded: list[Landed] = []
        self.flying = 0
        self.chores_flying = 0
        self.chores_wanted = True
        self.wake = threading.Event()

    def dispatch_once(self) -> float | None:
        """Record what landed, then hand out what may go. Seconds until the next look makes sense; None: no work."""
        self.record_landed()
        free = self.in_flight_most - self.flying
        if free <= 0:
            return None
        taken = self.bucket.take(free)
        if taken.jumped:
            log.error("redis_clock_jumped")
        if taken.lost:
            self._introduce(taken.run)
            return 0.0
        if taken.strangers:
            self._admit(taken)
        if taken.slots:
            self._fly(taken.slots)
        return taken.wait

    def dispatch_chores(self) -> None:
        """Begin uploads and look-ups that are due."""
        free = CHORES_MOST - self.chores_flying
        if free <= 0:
            return
        put_off = []
        for envelope in claims.claim_chores(free):
            flight = self.bucket.board(envelope.account_id, CHORE_SECONDS)
            if flight is None:
                put_off.append(envelope)
                continue
            known = media.known(envelope) if envelope.step == Step.UPLOAD else {}
            self.chores_flying += 1
            self.chores.submit(self._do_chore, envelope, flight, known)
        claims.put_off(put_off, PUT_OFF)

    def record_landed(self) -> None:
        """Write down what landed; what the database didn't take stays here until it does."""
        landed, late = self._drain(), len(self.unrecorded)
        self.unrecorded += landed
        if not self.unrecorded:
            return
        try:
            settled = recorder.record([item.report for item in self.unrecorded])
            tally.count([(one, item.idle) for one, item in zip(settled, self.unrecorded, strict=True)])
            recorded, self.unrecorded = self.unrecorded, []
        finally:
            # Even when the database is away, Redis has to know that the calls have ended.
            self.bucket.finish([item.flight for item in landed])
        accounts = {item.flight.account_id for i, item in enumerate(recorded) if i < late or item.needs_a_look}
        self.bucket.ready(sorted(accounts))

    def idle(self) -> bool:
        """Whether nothing is in the air and everything is written down."""
        return not self.flying and not self.chores_flying and not self.unrecorded and self.landed.empty()

    def close(self, timeout: float) -> None:
        """Wait for the calls in the air and write their ends down."""
        stop = threading.Timer(timeout, self.wake.set)
        stop.start()
        while not self.idle() and stop.is_alive():
            self.wake.wait(0.2)
            self.wake.clear()
            try:
                self.record_landed()
            except redis.RedisError:
                # The slots count as ended by themselves; what landed next must still be written down.
                log.warning("closing_without_redis")
        stop.cancel()
        self.calls.shutdown(wait=False, cancel_futures=True)
        self.chores.shutdown(wait=False, cancel_futures=True)

    def _drain(self) -> list[Landed]:
        landed: list[Landed] = []
        while len(landed) < self.in_flight_most + CHORES_MOST:
            try:
                landed.append(self.landed.get_nowait())
            except Empty:
                break
        chores = sum(item.report.envelope.step != Step.SEND for item in landed)
        self.chores_flying -= chores
        self.flying -= len(landed) - chores
        self.chores_wanted |= any(isinstance(item.report.result, Later) for item in landed)
        return landed

    def _fly(self, slots: list[Slot]) -> None:
        try:
            envelopes, idle = claims.claim_next([slot.account_id for slot in slots])
        except SQLAlchemyError:
            self.bucket.give_back(slots)
            raise
        by_account = {slot.account_id: slot for slot in slots}
        for envelope in envelopes:
            self.flying += 1
            self.calls.submit(self._call, envelope, by_account.pop(envelope.account_id))
        self._hand_back(by_account, idle)

    def _hand_back(self, unused: dict[int, Slot], idle: list[Idle]) -> None:
        if unused:
            self.bucket.give_back(list(unused.values()))
            self.bucket.rest(
                [
                    Rest(i.account_id, unused[i.account_id].seq, i.delay, i.blocked)
                    for i in idle
                    if i.account_id in unused
                ]
            )

    def _introduce(self, run: str) -> None:
        _, any_attempt = backlog.newest_attempts([])
        self.bucket.found(run, fresh=not any_attempt)
        log.warning("redis_found", extra={"fresh": not any_attempt})

    def _admit(self, taken: Taken) -> None:
        ages, _ = backlog.newest_attempts(taken.strangers)
        bound = self.bucket.limit.window + self.bucket.call_limit
        waits = {account: bound - ages[account] if account in ages else 0.0 for account in taken.strangers}
        self.bucket.admit(taken.run, waits)

    def _call(self, envelope: Envelope, slot: Slot) -> None:
        """In a courier's thread."""
        self.pacer.wait_turn(envelope.account_id)
        if slot.may_still_start():
            report = self._guarded(lambda: self.courier.deliver(envelope, slot.probe), envelope)
        else:
            report = Report(envelope, Later(Step.SEND, 0.0, TOO_LATE, counted=False), "unused")
        self._land(report, slot.name, slot.start_ms, slot.probe, slot.idle)

    def _do_chore(self, envelope: Envelope, flight: Flight, known: dict[str, str]) -> None:
        """In a chore's thread."""
        if envelope.step == Step.UPLOAD:
            report = self._guarded(lambda: self.courier.upload(envelope, known), envelope)
        else:
            report = self._guarded(lambda: self.courier.look_up(envelope), envelope)
        self._land(report, flight.name, 0, flight.probe, 0.0)

    def _guarded(self, step: Callable[[], Report], envelope: Envelope) -> Report:
        """A fault of ours in a courier leaves open whether something arrived: the chat will tell."""
        try:
            return step()
        except Exception:
            log.exception("courier_fault", extra={"messageId": envelope.public_id, "accountId": envelope.account_id})
            unclear = envelope.step == Step.SEND
            follow = Step.LOOK_UP if unclear else Step(envelope.step)
            return Report(
                envelope, Later(follow, PUT_OFF, "A fault of ours", "COURIER_FAULT", unclear=unclear), "silent"
            )

    def _land(self, report: Report, flight: str, start_ms: int, probe: bool, idle: float) -> None:
        # A chore that worked says that reading works, nothing of sending: it leaves the breaker as it was.
        unused = report.verdict == "unused" or (start_ms == 0 and report.verdict == "silent")
        ended = Ended(
            account_id=report.envelope.account_id,
            name=flight,
            start_ms=start_ms,
            message_id=int(probe) if unused else report.envelope.message_id,
            verdict="unused" if unused else report.verdict,
            timed_out=report.timed_out,
        )
        self.landed.put(Landed(report, ended, idle))
        self.wake.set()
