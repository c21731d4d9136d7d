"""An author: a creator with one account, who writes through the product's verbs and looks what became of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select

from app.accounts.models import Account, User
from app.delivery.desk import Desk
from app.extensions import db
from app.messages import service as messages
from app.messages.models import Message, Status
from app.messages.rules import PRIORITIES, Draft
from tests.embedded.platform.sim import Json, Sim
from tests.journeys.waiting import PATIENCE, until

PASSWORD = "journey-password-1"
FINAL = (Status.SENT, Status.FAILED, Status.UNKNOWN, Status.CANCELED)


@dataclass(frozen=True, slots=True)
class Author:
    """A creator, their account here, and the same account at the platform."""

    app: Flask
    sim: Sim
    email: str
    user_id: int
    account_id: int
    platform_id: str

    def write(self, text: str, to: str = "1001", priority: str = "high", later: float = 0.0) -> str:
        """Accept and publish a message to the fan `to`, due in `later` seconds; its public id."""
        moment = datetime.now(UTC) + timedelta(seconds=later) if later else None
        with self.app.app_context():
            viewer = db.session.get_one(User, self.user_id)
            draft = Draft(text=text, priority=PRIORITIES[priority], scheduled_at=moment)
            message = messages.send_to_recipient(viewer, self.account_id, to, draft)
            if message.status == Status.QUEUED:
                desk: Desk = current_app.extensions["desk"]
                desk.publish([message.id])
            return message.public_id

    def write_many(self, number: int, fans: int = 1, priority: str = "high") -> list[str]:
        """Write so many messages, to so many fans in turn."""
        return [self.write(f"{priority} {n}", to=str(1001 + n % fans), priority=priority) for n in range(number)]

    def messages(self) -> list[Message]:
        """Every message of the account as the database has it now, oldest first."""
        with self.app.app_context():
            query = select(Message).where(Message.account_id == self.account_id, Message.direction == "out")
            return list(db.session.scalars(query.order_by(Message.id)))

    def message(self, public_id: str) -> Message:
        """One of them."""
        return next(message for message in self.messages() if message.public_id == public_id)

    def account(self) -> Account:
        """The account's row as it is now."""
        with self.app.app_context():
            return db.session.get_one(Account, self.account_id)

    def statuses(self) -> Counter[str]:
        """How many messages stand where."""
        return Counter(message.status for message in self.messages())

    def entries(self) -> list[Json]:
        """Every call that sends, as the platform saw it."""
        return self.sim.entries(self.platform_id)

    def delivered(self) -> list[Json]:
        """The calls that brought a message into its chat, in order."""
        found = [entry for entry in self.entries() if entry["delivered_at"] is not None]
        return sorted(found, key=lambda entry: float(entry["delivered_at"]))

    def texts(self) -> list[str]:
        """The texts that arrived, in order."""
        return [entry["text"] for entry in self.delivered()]

    def fault(self, kind: str, **rule: Any) -> int:
        """Have the platform fail for this account; the rule's id."""
        rule_id: int = self.sim.fault(kind, account=self.platform_id, **rule)["id"]
        return rule_id

    def wait(self, condition: str, seconds: float = PATIENCE) -> None:
        """Wait until every message has this status."""
        until(lambda: set(self.statuses()) == {condition}, self.story, seconds)

    def wait_for(self, public_id: str, statuses: str | Sequence[str], seconds: float = PATIENCE) -> Message:
        """Wait until one message has this status, or one of these."""
        wanted = [statuses] if isinstance(statuses, str) else statuses
        until(lambda: self.message(public_id).status in wanted, self.story, seconds)
        return self.message(public_id)

    def wait_until_final(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing of this account will change any more."""
        until(lambda: set(self.statuses()) <= set(FINAL), self.story, seconds)

    def story(self) -> str:
        """What became of everything, for whoever reads a failure."""
        lines = [
            f"{m.public_id} {m.text!r} {m.status} {m.next_step} attempts={m.attempts} key={m.key_generation} "
            f"published={m.published_at} received={m.received_at} next={m.next_attempt_at} lease={m.lease_until} "
            f"error={m.error!r}"
            for m in self.messages()
        ]
        calls = [
            f"{e['seq']} at={e['at']:.3f} end={e['end']} chat={e['chat']} {e['key']} {e['text']!r} "
            f"{e['outcome']} {e['status']}"
            for e in self.entries()
        ]
        return "\n".join([f"account {self.platform_id}", *lines, "calls:", *calls])
