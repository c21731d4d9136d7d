"""Dead letters: tickets of messages that failed, and tickets that never became a message. What to do with each.

They are an operator's matter: `viewer` is one, or None for the command line. Nobody is shown a text. A look costs a
call to SQS for every ten letters, and hides them for its length: for people who ask, not for a page that polls.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from app.accounts import service as accounts
from app.accounts.models import Account, Role, User
from app.db import transaction
from app.delivery import tickets
from app.delivery.desk import Desk
from app.delivery.relay import Relay
from app.delivery.tickets import BadTicket
from app.errors import Conflict, HuntazeError, NotAllowed, NotFound, Unavailable
from app.extensions import db
from app.gateways.sqs import Queue, QueueUnavailable, Received
from app.messages import service as messages
from app.messages.models import Message, Status

log = logging.getLogger(__name__)
LOOK_MOST = 1000
HOLD_SECONDS = 120
ID_LENGTH = 64
NO_REASON = "It was received many times and never taken in"


class Kind(StrEnum):
    """What a letter is: of a message that `failed`; `without_row`; or `settled` meanwhile, so that it says nothing."""

    FAILED = "failed"
    WITHOUT_ROW = "without_row"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A ticket in the dead letters. `id` is SQS' own; `message_id` the `msg_…` id that it names, if one can be read.

    `since`: when SQS first had the ticket. `row`: the message's row (id, account_id, owner_id), None without one.
    """

    id: str
    message_id: str | None
    reason: str
    since: datetime
    kind: Kind
    row: Row[Any] | None
    ticket: str = field(repr=False)
    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Written:
    """A letter's body, read: the ticket as it first was. `by_relay`: our own, for a message that failed."""

    ticket: str
    message_id: str | None
    reason: str
    by_relay: bool = False


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of letters: messages that were queued again, tickets that are on the queue again, letters that were
    dropped because they said nothing any more, and those that stayed because their message can't go again."""

    retried: int
    returned: int
    dropped: int
    refused: int


def look(desk: Desk | Relay, viewer: User | None, most: int = 100) -> list[DeadLetter]:
    """Up to `most` (at most 1,000) dead letters, the oldest first; they stay. Raises NotAllowed or Unavailable."""
    with _opened(desk, viewer, most) as (_, letters):
        return sorted(letters, key=lambda letter: letter.since)


def count_without_row(desk: Desk | Relay) -> int:
    """How many of the (first 1,000) letters belong to no message. Raises Unavailable."""
    return sum(letter.kind is Kind.WITHOUT_ROW for letter in look(desk, None, LOOK_MOST))


def redrive(desk: Desk, viewer: User | None, letter_id: str) -> Kind:
    """Give one letter (by its `id`) another chance; what it was: `failed`: retried, `without_row`: on the queue again.

    Raises NotFound when it isn't among the first 1,000, Conflict when its message was retried already or can't go
    again, NotAllowed or Unavailable.
    """
    with _opened(desk, viewer, LOOK_MOST) as (dead, letters):
        found = next((letter for letter in letters if letter.id == letter_id), None)
        if found is None:
            raise NotFound("This dead letter isn't there (any more)")
        new_ids = _redrive(desk, viewer, found)
        dead.delete([found.handle])
    desk.publish(new_ids)
    if found.kind is Kind.SETTLED:
        raise Conflict("Nothing is left to be done: its message was sent, retried, canceled or erased already")
    return found.kind


def redrive_all(desk: Desk, viewer: User | None) -> Redriven:
    """Give up to 1,000 letters another chance, each by itself. Raises NotAllowed or Unavailable."""
    done: Counter[Kind | None] = Counter()
    new_ids: list[int] = []
    with _opened(desk, viewer, LOOK_MOST) as (dead, letters):
        for letter in letters:
            try:
                new_ids += _redrive(desk, viewer, letter)
            except HuntazeError as error:
                log.warning("redrive_refused", extra={"messageId": letter.message_id, "reason": error.message})
                done[None] += 1
                continue
            dead.delete([letter.handle])
            done[letter.kind] += 1
    # What is more than a door may publish at once, the relay hands on.
    desk.publish(new_ids[:100])
    return Redriven(done[Kind.FAILED], done[Kind.WITHOUT_ROW], done[Kind.SETTLED], done[None])


@contextmanager
def _opened(desk: Desk | Relay, viewer: User | None, most: int) -> Iterator[tuple[Queue, list[DeadLetter]]]:
    """The queue of dead letters, and up to `most` of them; what isn't deleted meanwhile stays."""
    if viewer is not None and viewer.role != Role.OPERATOR:
        raise NotAllowed("Dead letters are an operator's matter")
    if desk.dead_letters is None:
        raise Unavailable("No queue of dead letters is configured")
    held: list[Received] = []
    try:
        held = _held(desk.dead_letters, min(most, LOOK_MOST))
        yield desk.dead_letters, _sorted(held)
    except QueueUnavailable as error:
        raise Unavailable("The queue can't be reached") from error
    finally:
        _release(desk.dead_letters, held)


def _held(dead: Queue, most: int) -> list[Received]:
    there = dead.depth().visible
    held: dict[str, Received] = {}
    for _ in range(LOOK_MOST):
        if len(held) >= min(most, there):
            break
        batch = dead.hold(HOLD_SECONDS)
        if not batch:
            break
        held |= {received.id: received for received in batch}
    return list(held.values())


def _release(dead: Queue, held: Sequence[Received]) -> None:
    try:
        dead.release([received.handle for received in held])
    except QueueUnavailable as error:
        # They can be seen again by themselves in two minutes.
        log.warning("dead_letters_held", extra={"reason": str(error)[:200]})


def _sorted(held: Sequence[Received]) -> list[DeadLetter]:
    written = [_read(received.body) for received in held]
    rows = _rows([found.message_id for found in written if found.message_id is not None])
    return [
        _letter(received, found, rows.get(found.message_id or ""))
        for received, found in zip(held, written, strict=True)
    ]


def _letter(received: Received, found: _Written, row: Row[Any] | None) -> DeadLetter:
    if row is not None:
        kind = Kind.FAILED if row.status == Status.FAILED and not row.retried else Kind.SETTLED
    else:
        # Our relay wrote it for a row that was there then, and was erased with its fan since.
        kind = Kind.SETTLED if found.by_relay else Kind.WITHOUT_ROW
    return DeadLetter(
        id=received.id,
        message_id=found.message_id,
        reason=found.reason,
        since=received.sent_at,
        kind=kind,
        row=row,
        ticket=found.ticket,
        handle=received.handle,
    )


def _read(body: str) -> _Written:
    """What the relay wrote (a ticket with its reason), what the intake did (see tickets.dead), or what SQS moved."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    match found:
        case {"messageId": str(message_id), "reason": str(reason)}:
            return _Written(body, message_id[:ID_LENGTH], reason, by_relay=True)
        case {"body": str(ticket), "reason": str(reason)}:
            return _Written(ticket, _message_id(ticket), reason)
    return _Written(body, _message_id(body), NO_REASON)


def _message_id(ticket: str) -> str | None:
    try:
        return tickets.read(ticket).message_id
    except BadTicket:
        return None


def _rows(message_ids: Sequence[str]) -> dict[str, Row[Any]]:
    later = Message.__table__.alias("later")
    retried = select(later.c.id).where(later.c.retry_of_id == Message.id).exists()
    query = (
        select(Message.public_id, Message.id, Message.status, Message.account_id, Account.owner_id)
        .add_columns(retried.label("retried"))
        .join(Account, Account.id == Message.account_id)
        .where(Message.public_id.in_(message_ids))
    )
    with transaction():
        # Committed: no connection is held while SQS is asked.
        return {row.public_id: row for row in db.session.execute(query)} if message_ids else {}


def _redrive(desk: Desk, viewer: User | None, letter: DeadLetter) -> list[int]:
    """Ids of new messages, to be published. Raises Conflict, Unavailable, or QueueUnavailable."""
    if letter.kind is Kind.SETTLED:
        return []
    if letter.kind is Kind.FAILED and letter.row is not None:
        return [_retry(viewer, letter, letter.row)]
    if desk.queue is None:
        raise Unavailable("No queue is configured")
    ticket = tickets.again(letter.ticket)
    if ticket.id not in desk.queue.send([ticket]):
        raise Unavailable("The queue refuses this ticket")
    accounts.audit("dead_letter.returned", user=viewer, ticket=letter.id)
    return []


def _retry(viewer: User | None, letter: DeadLetter, row: Row[Any]) -> int:
    """In the name of the account's owner: whoever wrote the message may not work for the account any more."""
    with transaction():
        message = messages.retry(db.session.get_one(User, row.owner_id), row.id)
        accounts.audit(
            "dead_letter.retried", user=viewer, account_id=row.account_id, message_id=letter.message_id or ""
        )
        return message.id
