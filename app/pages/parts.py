"""What the right column of the inbox shows, as its templates take it: the thread and the account's line."""

import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.conversations.models import Conversation
from app.delivery.desk import Allowance, Desk
from app.delivery.estimate import Wait
from app.messages import queries as messages
from app.messages.models import Message, Status
from app.pages.formats import midnight, sort_key
from app.pages.listings import read_cursor, write_cursor

THREAD_PAGE = 40
NOTHING_SEEN = "0-0"


def desk() -> Desk:
    """What this app asks delivery."""
    at_hand: Desk = current_app.extensions["desk"]
    return at_hand


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message as the thread shows it: `wait` while it is queued, `resent` when a newer one took its place.

    `new_day`: none before it, of those that are drawn with it, is of the same day. `author`: who else wrote it.
    `looking`: its chat is being looked through.
    """

    message: Message
    wait: Wait | None
    resent: bool
    new_day: bool
    author: str | None
    looking: bool

    @property
    def version(self) -> str:
        """Differs whenever the bubble looks different."""
        message, wait = self.message, self.wait
        turn = (wait.place, sort_key(wait.expected_at) // 1_000_000) if wait else ()
        reason = zlib.crc32((message.error or "").encode())
        flags = (self.resent, self.looking, message.deleted_at, message.unlocked_at)
        marks = "".join("1" if flag else "0" for flag in flags)
        return "-".join(map(str, (message.status, message.attempts, marks, reason, *turn)))

    @property
    def open(self) -> bool:
        """Whether the message may still change."""
        return self.message.direction == "out" and self.message.status not in (Status.SENT, Status.CANCELED)


@dataclass(frozen=True, slots=True)
class Thread:
    """A stretch of a conversation, oldest bubble first.

    `older` is the cursor of the stretch before it, `seen` that of its newest message.
    """

    conversation: Conversation
    bubbles: Sequence[Bubble]
    older: str | None
    seen: str
    gap: bool
    new_key: str


def thread(viewer: User, conversation: Conversation, before: str | None = None) -> Thread:
    """The newest stretch of a conversation, or the one before the cursor."""
    return _thread(viewer, conversation, before, (), None)


def thread_news(viewer: User, conversation: Conversation, still_open: Iterable[int], newest: int | None) -> Thread:
    """The newest stretch and the messages that the browser shows as unfinished; `newest` is the last that it has."""
    return _thread(viewer, conversation, None, still_open, newest)


def _thread(
    viewer: User, conversation: Conversation, before: str | None, also: Iterable[int], newest: int | None
) -> Thread:
    moment, last_id = read_cursor(before) or (None, 0)
    found = messages.thread(viewer, conversation.id, (moment, last_id) if moment else None, limit=THREAD_PAGE + 1)
    shown, more = found[:THREAD_PAGE], len(found) > THREAD_PAGE
    older = write_cursor(shown[-1].created_at, shown[-1].id) if more else None
    known = {message.id for message in shown}
    shown += messages.some(viewer, conversation.id, set(also) - known)
    gap = more and newest is not None and newest not in known
    seen = write_cursor(found[0].created_at, found[0].id) if found else NOTHING_SEEN
    return Thread(conversation, bubbles(viewer, shown), older, seen, gap, str(uuid.uuid4()))


def bubbles(viewer: User, found: Iterable[Message], looking: bool = False) -> list[Bubble]:
    """What the thread shows of these messages, oldest first."""
    ordered = sorted(found, key=lambda message: (message.created_at, message.id))
    resent = messages.resent([one.id for one in ordered if one.status in (Status.FAILED, Status.UNKNOWN)])
    waits = desk().waits([one for one in ordered if one.status == Status.QUEUED])
    others = accounts.names({one.author_id for one in ordered if one.author_id not in (None, viewer.id)})
    days = [midnight(one.created_at) for one in ordered]
    return [
        Bubble(
            message=one,
            wait=waits.get(one.id),
            resent=one.id in resent,
            new_day=today != before,
            author=others.get(one.author_id or 0),
            looking=looking,
        )
        for one, today, before in zip(ordered, days, [None, *days], strict=False)
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """How the account's sending stands: what is left of its limit (None while Redis is away), how many messages wait,
    when the last of them will go, and why nothing moves."""

    allowance: Allowance | None
    waiting: int
    last_at: datetime | None
    reason: str | None

    @property
    def moving(self) -> bool:
        """Whether time alone, or what only Redis knows, will change what the line says."""
        return (
            self.reason is not None
            or self.waiting > 0
            or self.allowance is None
            or self.allowance.remaining < self.allowance.limit
        )


def line(account: Account) -> Line:
    """The line of an account that the viewer may see."""
    waiting, last = messages.line(account.id)
    last_at = desk().estimate(last) if last else None
    return Line(desk().allowance(account.id), waiting, last_at, desk().standstill(account.id))
