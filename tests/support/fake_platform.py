"""A platform without a network: it remembers what it delivered, keeps keys as the real one does, and fails as told."""

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from app.clock import now
from app.gateways.answers import Answer, CallFailed, ChatMessage, Letter, Listed, Login, Verdict

KEPT_FOR = timedelta(hours=24)


class End(Enum):
    """How a call that sends ends: whether it delivers, and what its caller hears."""

    SENT = "delivered, and the caller hears so"
    LOST = "nothing delivered, and no word of it"
    LOST_AFTER = "delivered, and a 5xx that no key keeps"
    HANGS = "no word yet; delivered later, and kept under its key"
    REFUSED = "refused for good"
    LIMITED = "429"
    SIGNED_OUT = "401"
    UNREACHED = "never got through"


SAID = {
    End.LOST: Answer(Verdict.UNCLEAR, reason="no answer in time", timed_out=True),
    End.LOST_AFTER: Answer(Verdict.UNCLEAR, 500, reason="Server Error"),
    End.HANGS: Answer(Verdict.UNCLEAR, reason="no answer in time", timed_out=True),
    End.REFUSED: Answer(Verdict.REFUSED, 400, reason="no", code="REFUSED"),
    End.LIMITED: Answer(Verdict.RATE_LIMITED, 429, reason="slow down", wait=30),
    End.SIGNED_OUT: Answer(Verdict.RECONNECT, 401, reason="sign in again"),
    End.UNREACHED: Answer(Verdict.UNREACHED, reason="can't be reached"),
}


@dataclass(slots=True)
class Delivery:
    """A message that reached its fan: under which key, when, and under which id the platform has it."""

    chat: str
    key: str
    message: ChatMessage


@dataclass(slots=True)
class _Kept:
    letter: Letter
    answer: Answer
    since: datetime = field(default_factory=now)


class FakePlatform:
    """Implements `Platform`. `ends`: how the next calls that send will end, `SENT` when it is empty."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ends: deque[End] = deque()
        self.sends: list[Letter] = []
        self.deliveries: list[Delivery] = []
        self.kept: dict[str, _Kept] = {}
        self.running: dict[str, Letter] = {}
        self.unreadable = False
        self.read: list[str] = []
        self.marked_unread: list[str] = []
        self.marked_read: list[tuple[str, str]] = []
        self.refused_marks: dict[str, CallFailed] = {}
        self.uploaded: list[str] = []
        self.refused_uploads: dict[str, CallFailed] = {}
        self.key_is_good = True
        self.connected: set[str] = set()

    def send(self, login: Login, letter: Letter) -> Answer:
        """Deliver, or not, as the next end says; a key that is known is not executed again."""
        with self.lock:
            self.sends.append(letter)
            if letter.key in self.running:
                return Answer(Verdict.STILL_RUNNING, 409, reason="still running")
            kept = self.kept.get(letter.key)
            if kept is not None:
                same = kept.letter == letter
                return kept.answer if same else Answer(Verdict.MISMATCH, 422, code="IDEMPOTENCY_KEY_MISMATCH")
            return self._end(self.ends.popleft() if self.ends else End.SENT, letter)

    def _end(self, end: End, letter: Letter) -> Answer:
        match end:
            case End.SENT:
                return self._keep(letter, self._deliver(letter))
            case End.LOST_AFTER:
                self._deliver(letter)
            case End.HANGS:
                self.running[letter.key] = letter
            case End.REFUSED | End.SIGNED_OUT:
                return self._keep(letter, SAID[end])
        return SAID[end]

    def finish_running(self) -> None:
        """The calls that hung deliver, and their answers are kept."""
        with self.lock:
            for letter in self.running.values():
                self._keep(letter, self._deliver(letter))
            self.running.clear()

    def pass_time(self, period: timedelta) -> None:
        """Everything lies `period` further back; what hung for 5 s has ended, keys are forgotten after a day."""
        if period >= timedelta(seconds=5):
            self.finish_running()
        for delivery in self.deliveries:
            delivery.message = replace(delivery.message, created_at=delivery.message.created_at - period)
        for kept in self.kept.values():
            kept.since -= period
        self.kept = {key: kept for key, kept in self.kept.items() if now() - kept.since < KEPT_FOR}

    def newest_messages(self, login: Login, chat: str, since: datetime) -> list[ChatMessage]:
        """What was delivered to the chat since, newest first."""
        with self.lock:
            self.read.append(chat)
            if self.unreadable:
                raise CallFailed("the chat can't be read")
            found = [delivery.message for delivery in self.deliveries if delivery.chat == chat]
            return [message for message in reversed(found) if message.created_at >= since]

    def mark_unread(self, login: Login, chat: str) -> None:
        """Note it."""
        self.marked_unread.append(chat)

    def mark_read(self, login: Login, chat: str) -> None:
        """Note it, or refuse it as told."""
        if chat in self.refused_marks:
            raise self.refused_marks[chat]
        self.marked_read.append((login.account, chat))

    def upload(self, login: Login, url: str) -> str:
        """Take the media in, or refuse it as told."""
        with self.lock:
            if url in self.refused_uploads:
                raise self.refused_uploads[url]
            self.uploaded.append(url)
            return str(700 + len(self.uploaded))

    def key_works(self, api_key: str) -> bool:
        """Whether the key is good."""
        return self.key_is_good

    def connected_accounts(self, api_key: str) -> set[str]:
        """Accounts that are signed in."""
        if not self.key_is_good:
            raise CallFailed("no", final=True, refused_login=True)
        return self.connected

    def listed_accounts(self, api_key: str) -> list[Listed]:
        """The same, as a list shows them."""
        return [Listed(account, "", True) for account in sorted(self.connected_accounts(api_key))]

    def delivered(self, public_id: str) -> list[Delivery]:
        """What reached a fan of this message, under any of its keys."""
        return [delivery for delivery in self.deliveries if delivery.key.split("-")[0] == public_id]

    def _deliver(self, letter: Letter) -> Answer:
        number = str(9000 + len(self.deliveries))
        message = ChatMessage(
            id=number,
            text=letter.text,
            price_cents=letter.price_cents,
            media=len(letter.media_ids),
            sent_by_us=True,
            created_at=now(),
        )
        self.deliveries.append(Delivery(letter.chat, letter.key, message))
        return Answer(Verdict.SENT, 200, message_id=number)

    def _keep(self, letter: Letter, answer: Answer) -> Answer:
        self.kept[letter.key] = _Kept(letter, answer)
        return answer
