"""A message's whole life, tried in every order: Hypothesis plays workers, people, the platform and time."""

from collections import Counter
from datetime import timedelta

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select, update

from app.accounts.connection import Keys
from app.accounts.models import Account, AuditEvent
from app.accounts.tokens import Proof
from app.db import database_now, transaction
from app.delivery import recorder
from app.delivery.courier import ATTEMPTS, Courier, Report
from app.delivery.dispatcher import TOO_LATE
from app.errors import Conflict
from app.extensions import db
from app.messages import claims, handover, lists, service, upkeep
from app.messages.claims import Envelope
from app.messages.models import Attempt, Message, Priority, Step
from app.messages.outcomes import Later
from app.messages.rules import Draft
from config import DEVELOPMENT_ENCRYPTION_KEY
from tests.messages import line
from tests.support.cast import Cast
from tests.support.fake_platform import End, FakePlatform

FINAL = {"sent", "failed", "canceled"}
TURN = st.integers(0, 99)
ENDS = st.sampled_from([*End, End.LOST_AFTER, End.HANGS])
MAY_START = timedelta(seconds=4)


class MessageLife(RuleBasedStateMachine):
    """Workers claim, call and write down, die or come late; a person accepts, cancels, retries; time passes."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        with transaction():
            for table in (Attempt, Message, AuditEvent):
                db.session.execute(delete(table))
            db.session.execute(update(Account).values(reconnect_since=None, paused_until=None, probe_at=None))
        db.session.expire_all()
        self.platform = FakePlatform()
        self.courier = Courier(self.platform, Keys(DEVELOPMENT_ENCRYPTION_KEY, "key"))
        self.begun: list[Envelope] = []
        self.reports: list[Report] = []
        self.texts = 0
        self.claims_of: Counter[int] = Counter()
        self.to_be_looked_up: set[int] = set()
        self.last_seen: dict[int, str] = {}
        self.last_shown: dict[int, tuple[object, list[object]]] = {}
        self.accept(0, Priority.HIGH, 0)
        self.accept(0, Priority.HIGH, 0)

    def rows(self) -> list[Message]:
        """Every message as it stands now, oldest first."""
        query = select(Message).order_by(Message.id).execution_options(populate_existing=True)
        return list(db.session.scalars(query))

    # What people do.

    @rule(conversation=st.integers(0, 2), priority=st.sampled_from(Priority), minutes=st.sampled_from([0, 0, 0, 30]))
    def accept(self, conversation: int, priority: Priority, minutes: int) -> None:
        """Somebody writes a message, perhaps for later; its ticket comes in at once."""
        self.texts += 1
        due = database_now() + timedelta(minutes=minutes) if minutes else None
        draft = Draft(f"Hello {self.texts}", priority=priority, scheduled_at=due)
        message = service.send(self.cast.ada, self.cast.conversations[conversation].id, draft)
        handover.mark_received([message.public_id])

    @rule(turn=TURN, verb=st.sampled_from([service.cancel, service.retry, service.send_again]))
    def change_ones_mind(self, turn: int, verb: object) -> None:
        """Somebody cancels a message, or sends one again."""
        rows = self.rows()
        if not rows:
            return
        message = rows[turn % len(rows)]
        try:
            result = verb(self.cast.ada, message.id)  # type: ignore[operator]
        except Conflict:
            return
        handover.mark_received([result.public_id])

    # What workers do.

    @rule(end=st.none() | ENDS, probe=st.booleans())
    def claim(self, end: End | None, probe: bool) -> None:
        """A worker claims the next message for a call, and makes it at once unless something comes between."""
        if self.something_is_just_due():
            self.pass_time(timedelta(seconds=1))
        expected = self.next_in_line()
        envelopes, _ = claims.claim_next([self.cast.account.id])
        assert [envelope.message_id for envelope in envelopes] == expected
        for envelope in envelopes:
            assert envelope.message_id not in self.to_be_looked_up, "sent again without a look"
            self.claims_of[envelope.message_id] += 1
            self.begun.append(envelope)
            if end is not None:
                self.call(-1, end, probe)

    def something_is_just_due(self) -> bool:
        """Whether real time could change who is next while this test looks."""
        account = db.session.get_one(Account, self.cast.account.id, populate_existing=True)
        moments = [account.paused_until, *(row.next_attempt_at for row in self.rows())]
        now = database_now()
        return any(moment is not None and abs(moment - now) < timedelta(seconds=0.5) for moment in moments)

    def next_in_line(self) -> list[int]:
        """Who has to be next, by the rules of SPEC §4.5, worked out from the rows alone."""
        rows, now = self.rows(), database_now()
        account = db.session.get_one(Account, self.cast.account.id, populate_existing=True)
        if account.reconnect_since or (account.paused_until and account.paused_until > now):
            return []

        def place(row: Message) -> tuple[object, ...]:
            return (row.priority, row.due_at, row.id)

        unfinished = [row for row in rows if row.status in ("queued", "sending")]
        for row in sorted(unfinished, key=place):
            thread = (row.conversation_id, row.priority)
            ahead = (other for other in unfinished if (other.conversation_id, other.priority) == thread)
            first = min(ahead, key=place)
            waits = row.next_attempt_at is not None and row.next_attempt_at > now
            if row is first and row.status == "queued" and row.next_step == "send" and not waits:
                return [row.id]
        return []

    @rule(turn=TURN, end=ENDS, probe=st.booleans())
    def call(self, turn: int, end: End, probe: bool) -> None:
        """A worker makes its call; its end is not written down yet."""
        if not self.begun:
            return
        envelope = self.begun.pop(turn % len(self.begun))
        self.platform.ends.append(end)
        self.reports.append(self.courier.deliver(envelope, probe=probe))
        self.platform.ends.clear()

    @rule(unreadable=st.booleans())
    def look_up(self, unreadable: bool) -> None:
        """A worker looks an unclear message up in its chat."""
        self.platform.unreadable = unreadable
        for envelope in claims.claim_chores(16):
            self.claims_of[envelope.message_id] += 1
            self.reports.append(self.courier.look_up(envelope))

    @rule(turn=TURN)
    def write_down(self, turn: int) -> None:
        """A worker's report reaches the database, perhaps very late."""
        if self.reports:
            self.record(self.reports.pop(turn % len(self.reports)))

    def record(self, report: Report) -> None:
        """Write a report down, and note what it means while its claim is good."""
        envelope = report.envelope
        row = db.session.get_one(Message, envelope.message_id, populate_existing=True)
        valid = row.claim_id == envelope.claim_id
        recorder.record([report])
        if not valid:
            return
        self.claims_of[envelope.message_id] = 0
        if isinstance(report.result, Later) and report.result.unclear:
            self.to_be_looked_up.add(envelope.message_id)
        elif envelope.step == Step.LOOK_UP:
            self.to_be_looked_up.discard(envelope.message_id)

    @rule(turn=TURN)
    def die(self, turn: int) -> None:
        """A worker is killed, before its call or with its end unwritten."""
        for lost in (self.begun, self.reports):
            if lost:
                lost.pop(turn % len(lost))

    # What time and the account's owner do.

    @rule(seconds=st.sampled_from([1, 5, 12, 31, 61, 90, 1000, 82_860]))
    def wait(self, seconds: int) -> None:
        """Time passes, perhaps most of a day; after half a minute the account is signed in again."""
        self.pass_time(timedelta(seconds=seconds))
        if seconds > 30:
            with transaction():
                db.session.execute(update(Account).values(reconnect_since=None, probe_at=None))

    def pass_time(self, period: timedelta) -> None:
        """Let time pass; calls that have not begun by then are not made any more."""
        if period > MAY_START:
            self.reports += [
                Report(envelope, Later(Step.SEND, 0.0, TOO_LATE, counted=False), "unused") for envelope in self.begun
            ]
            self.begun.clear()
        self.platform.pass_time(period)
        line.pass_time(period)
        upkeep.promote_due()
        now = database_now()
        gone = [row.id for row in self.rows() if row.status == "sending" and row.lease_until and row.lease_until < now]
        self.to_be_looked_up.update(gone)
        upkeep.recover_leases()
        upkeep.give_up_chores()
        upkeep.expire_unclear()

    # What must hold at every moment.

    @invariant()
    def nothing_is_delivered_twice(self) -> None:
        """One message reaches its fan at most once, under whatever keys."""
        delivered = Counter(delivery.key.split("-")[0] for delivery in self.platform.deliveries)
        assert all(times == 1 for times in delivered.values()), delivered

    @invariant()
    def the_rows_tell_the_truth(self) -> None:
        """What is said to be sent arrived, what failed or was canceled didn't; final states stay."""
        running = {key.split("-")[0] for key in self.platform.running}
        for row in self.rows():
            arrived = self.platform.delivered(row.public_id)
            assert row.status != "sent" or [one.message.id for one in arrived] == [row.platform_message_id]
            assert row.status not in ("failed", "canceled") or not arrived, row.status
            assert row.status not in ("failed", "canceled") or row.public_id not in running, row.status
            before = self.last_seen.get(row.id)
            assert before not in FINAL or row.status == before, (before, row.status)
            assert before != "unknown" or row.status in ("unknown", "sent"), row.status
            self.last_seen[row.id] = row.status

    @invariant()
    def what_people_see_never_changes_unnoticed(self) -> None:
        """A thread that looks different has another state: answers are kept, and pages left alone, by that."""
        for conversation in self.cast.conversations:
            proof = Proof.of(self.cast.ada)
            state = lists.thread_state(proof, conversation.id)
            # Not the times: here they pass by being moved.
            shown = lists.thread(proof, conversation.id, 200, 0, None).rows
            rows = [(row.public_id, row.status, row.error, row[lists.SHOWN.index("sent_at")] is None) for row in shown]
            before = self.last_shown.get(conversation.id)
            assert before is None or before[0] != state or before[1] == rows
            self.last_shown[conversation.id] = (state, rows)

    @invariant()
    def attempts_and_claims_are_counted(self) -> None:
        """At most four attempts count; the row knows how many, and how often it was claimed without an end."""
        count = select(Attempt.message_id, func.count()).where(Attempt.counted).group_by(Attempt.message_id)
        counted = {row[0]: row[1] for row in db.session.execute(count)}
        assert all(number <= ATTEMPTS for number in counted.values())
        for row in self.rows():
            if row.status in ("sending", "queued"):
                assert (row.attempts, row.claims) == (counted.get(row.id, 0), self.claims_of[row.id])
                assert (row.status == "sending") <= (row.lease_until is not None)

    @invariant()
    def nobody_works_on_anothers_message(self) -> None:
        """No message is in two workers' hands before its call."""
        assert len({envelope.message_id for envelope in self.begun}) == len(self.begun)

    def teardown(self) -> None:
        """Once everything works, everything comes to an end."""
        for _ in range(12):
            if not self.unfinished():
                break
            self.wait(600)
            while self.reports:
                self.record(self.reports.pop())
            self.look_up(unreadable=False)
            while self.next_in_line():
                self.claim(End.SENT, probe=False)
                self.record(self.reports.pop())
        assert self.unfinished() == []
        self.nothing_is_delivered_twice()
        self.the_rows_tell_the_truth()

    def unfinished(self) -> list[tuple[int, str, str]]:
        """Messages of which more is to be expected."""
        ended = {*FINAL, "unknown"}
        return [(row.id, row.status, row.next_step) for row in self.rows() if row.status not in ended]


def test_a_message_lives_as_promised_whatever_happens(app: Flask, cast: Cast) -> None:
    machine = type("MessageLifeOfAda", (MessageLife,), {"cast": cast})
    # Without the phase that explains: it traces every line, SQLAlchemy's too.
    phases = (Phase.generate, Phase.shrink)
    hurry = settings(max_examples=20, stateful_step_count=25, phases=phases, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=hurry)
