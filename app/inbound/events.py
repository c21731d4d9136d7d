"""What each event changes; in any order, doubled or late, the end is the same.

Events are applied many at once: those of one account and one kind together, so that what they need is read once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, literal_column, or_, select, update

from app.accounts import connection
from app.db import insert_unless_there
from app.earnings import service as earnings
from app.earnings.service import Payment
from app.extensions import db
from app.inbound import adapter, people, talk
from app.inbound.adapter import Person, Unreadable
from app.inbound.models import MessageMark, Outcome, WebhookEvent
from app.messages import arrivals

LOGINS_LOOKED_AT = 50
SIGNED_IN = ("accounts.connected", "accounts.reconnected")
SIGNED_OUT = {
    "accounts.disconnected": "The account was disconnected from the platform's API: connect it again",
    "accounts.session_expired": "The platform's login has ended: authenticate the account again",
    "accounts.authentication_failed": "The platform refused the account's login: authenticate it again",
    "accounts.otp_code_required": "The platform asks for a login code: authenticate the account again",
    "accounts.face_otp_required": "The platform asks for a look at a face: authenticate the account again",
}
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an account of ours; `id` is its place in the journal."""

    id: int
    name: str
    account_id: int
    platform_account: str
    payload: Any
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """How an event ended; without an outcome it isn't over: something under way decides what it means."""

    outcome: Outcome | None
    error: str | None = None


NOT_YET, IGNORED = Ending(None), Ending(Outcome.IGNORED)
Endings = dict[int, Ending]
Handler = Callable[[int, Sequence[Event]], Endings]


def apply(events: Sequence[Event]) -> Endings:
    """Change what the events say, in the caller's transaction; by id, how those ended that weren't simply done."""
    endings: Endings = {}
    together: dict[tuple[int, Handler], list[Event]] = {}
    for event in events:
        handler = HANDLERS.get(event.name)
        if handler is None:
            endings[event.id] = IGNORED
        else:
            together.setdefault((event.account_id, handler), []).append(event)
    # Accounts in one order: two who work at once wait for each other instead of holding each other up.
    for (account_id, handler), some in sorted(together.items(), key=lambda item: item[0][0]):
        endings |= handler(account_id, some)
    return endings


def _read(events: Sequence[Event], read: Callable[[Event], Told]) -> tuple[list[tuple[Event, Told]], Endings]:
    """What the events tell, and how those end that can't be understood."""
    told, endings = list[tuple[Event, Told]](), Endings()
    for event in events:
        try:
            told.append((event, read(event)))
        except Unreadable as error:
            endings[event.id] = Ending(Outcome.UNREADABLE, str(error))
    return told, endings


def _messages(account_id: int, events: Sequence[Event]) -> Endings:
    told, endings = _read(events, lambda one: adapter.webhook_message(one.payload, one.name == "messages.sent"))
    waiting = talk.write_down(account_id, talk.arriving(account_id, [said for _, said in told]))
    return endings | {event.id: NOT_YET for event, said in told if said.platform_id in waiting}


def _deleted(account_id: int, events: Sequence[Event]) -> Endings:
    told, endings = _read(events, lambda one: adapter.message_id(one.payload))
    for event, platform_id in told:
        _mark(account_id, platform_id, {"deleted_at": event.received_at})
    return endings


def _unlocked(account_id: int, events: Sequence[Event]) -> Endings:
    told, endings = _read(events, lambda one: (*adapter.unlocked(one.payload), _at(one)))
    people.met(account_id, [(buyer, at) for _, (buyer, _, at) in told])
    for _, (_, platform_id, at) in told:
        _mark(account_id, platform_id, {"unlocked_at": at})
    return endings


def _mark(account_id: int, platform_id: str, values: dict[str, datetime]) -> None:
    insert_unless_there(MessageMark, [{"account_id": account_id, "platform_message_id": platform_id}])
    columns = {getattr(MessageMark, name): at for name, at in values.items()}
    db.session.execute(
        update(MessageMark)
        .where(MessageMark.account_id == account_id, MessageMark.platform_message_id == platform_id)
        # The earliest counts, whichever comes first.
        .where(*(or_(column.is_(None), column > at) for column, at in columns.items()))
        .values(**values)
    )
    message = arrivals.find(account_id, platform_id)
    if message is not None:
        talk.apply_marks(account_id, [platform_id])
        arrivals.refresh([message.conversation_id])


def _subscribed(account_id: int, events: Sequence[Event]) -> Endings:
    told, endings = _read(events, lambda one: (adapter.subscriber(one.payload), _at(one)))
    fans = people.known_all(account_id, [person for _, (person, _) in told])
    for event, (person, at) in told:
        status = people.EXPIRED if event.name == "subscriptions.expired" else people.ACTIVE
        people.subscribed(fans[person.platform_id], status, at)
    people.met(account_id, [visit for event, visit in told if event.name != "subscriptions.expired"])
    return endings


def _tipped(account_id: int, events: Sequence[Event]) -> Endings:
    """Money is counted by `transactions.new` alone, which follows."""
    told, endings = _read(events, lambda one: (adapter.subscriber(one.payload), _at(one)))
    people.met(account_id, [visit for _, visit in told])
    return endings


def _present(account_id: int, events: Sequence[Event]) -> Endings:
    told, endings = _read(events, lambda one: (adapter.who(one.payload), one.received_at))
    people.met(account_id, [visit for _, visit in told])
    return endings


def _paid(account_id: int, events: Sequence[Event]) -> Endings:
    told, endings = _read(events, lambda one: adapter.payment(one.payload))
    record_payments(account_id, [paid for _, paid in told])
    return endings


def record_payments(account_id: int, paid: Sequence[adapter.Paid]) -> None:
    """Write money received down, each payment once, with its fan."""
    payers: list[Person] = [one.fan for one in paid if one.fan is not None]
    fans = people.known_all(account_id, payers)
    earnings.record(
        account_id,
        [
            Payment(
                one.platform_id,
                one.type,
                one.gross_cents,
                one.net_cents,
                one.at,
                fans[one.fan.platform_id] if one.fan is not None else None,
            )
            for one in paid
        ],
    )


def _logins(account_id: int, events: Sequence[Event]) -> Endings:
    """Of all that was heard of the account's login, the newest counts: by its own time, else as it was received."""
    # Written as the index's own condition is, or no database uses it.
    about_logins: ColumnElement[bool] = literal_column("webhook_event.event LIKE 'accounts.%'")
    heard = db.session.scalars(
        select(WebhookEvent)
        .where(WebhookEvent.platform_account == events[0].platform_account, about_logins)
        .where(WebhookEvent.event.in_([*SIGNED_IN, *SIGNED_OUT]))
        .order_by(WebhookEvent.id.desc())
        .limit(LOGINS_LOOKED_AT)
    )
    newest = max(heard, key=lambda one: (adapter.told_at(one.payload, one.received_at), one.id))
    if newest.event in SIGNED_IN:
        connection.reconnected([account_id])
    else:
        connection.require_reconnect(account_id, SIGNED_OUT[newest.event])
    return {}


def _at(event: Event) -> datetime:
    return adapter.told_at(event.payload, event.received_at)


HANDLERS: Mapping[str, Handler] = {
    "messages.received": _messages,
    "messages.sent": _messages,
    "messages.deleted": _deleted,
    "messages.ppv.unlocked": _unlocked,
    "subscriptions.new": _subscribed,
    "subscriptions.renewed": _subscribed,
    "subscriptions.expired": _subscribed,
    "tips.received": _tipped,
    "transactions.new": _paid,
    "users.typing": _present,
    "users.online": _present,
    "users.offline": _present,
    **dict.fromkeys([*SIGNED_IN, *SIGNED_OUT], _logins),
}
