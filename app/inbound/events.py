"""What each event changes; in any order, doubled or late, the end is the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal_column, or_, select, update

from app.accounts import connection
from app.conversations import service as conversations
from app.db import insert_unless_there
from app.earnings import service as earnings
from app.earnings.service import Payment
from app.extensions import db
from app.inbound import adapter, people
from app.inbound.adapter import Person, Said
from app.inbound.models import MessageMark, Outcome, WebhookEvent
from app.messages import arrivals
from app.messages.arrivals import Arrival
from app.messages.models import Message

LOGINS_LOOKED_AT = 50
SIGNED_IN = ("accounts.connected", "accounts.reconnected")
SIGNED_OUT = {
    "accounts.disconnected": "The account was disconnected from the platform's API: connect it again",
    "accounts.session_expired": "The platform's login has ended: authenticate the account again",
    "accounts.authentication_failed": "The platform refused the account's login: authenticate it again",
    "accounts.otp_code_required": "The platform asks for a login code: authenticate the account again",
    "accounts.face_otp_required": "The platform asks for a look at a face: authenticate the account again",
}


class NotYet(Exception):
    """Something under way decides what this event means: it waits for its turn."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an account of ours."""

    name: str
    account_id: int
    platform_account: str
    payload: Any
    received_at: datetime


def apply(event: Event) -> Outcome:
    """Change what the event says, in the caller's transaction; raises adapter.Unreadable and NotYet."""
    handler = HANDLERS.get(event.name)
    if handler is None:
        return Outcome.IGNORED
    handler(event)
    return Outcome.DONE


def arrival(account_id: int, said: Said, *, read: bool = False) -> Arrival:
    """A message with the conversation that it belongs to, both made if need be."""
    fan = people.known(account_id, said.fan)
    if not said.by_us:
        people.seen(fan, said.at)
    return Arrival(
        platform_id=said.platform_id,
        account_id=account_id,
        conversation_id=conversations.open_with(fan).id,
        fan_id=fan.id,
        by_us=said.by_us,
        text=said.text,
        markup=said.markup,
        price_cents=said.price_cents,
        media=said.media,
        at=said.at,
        read=read,
    )


def apply_marks(account_id: int, platform_id: str) -> None:
    """What was said of a message before its row was here holds for the row."""
    mark = db.session.scalar(
        select(MessageMark).where(MessageMark.account_id == account_id, MessageMark.platform_message_id == platform_id),
        execution_options={"populate_existing": True},
    )
    if mark is None:
        return
    values = {"deleted_at": mark.deleted_at, "unlocked_at": mark.unlocked_at}
    gone = {"read": True} if mark.deleted_at else {}
    db.session.execute(
        update(Message)
        .where(Message.account_id == account_id, Message.platform_message_id == platform_id)
        .values(**values, **gone),
        execution_options={"synchronize_session": False},
    )


def _message(event: Event) -> None:
    found = arrival(event.account_id, adapter.webhook_message(event.payload, event.name == "messages.sent"))
    if not arrivals.known(event.account_id, [found.platform_id]) and not (found.by_us and arrivals.settle_echo(found)):
        if found.by_us and arrivals.call_under_way(found.fan_id):
            raise NotYet
        arrivals.add([found])
    apply_marks(event.account_id, found.platform_id)
    arrivals.refresh([found.conversation_id])


def _deleted(event: Event) -> None:
    _mark(event, adapter.message_id(event.payload), {"deleted_at": event.received_at})


def _unlocked(event: Event) -> None:
    buyer, platform_id = adapter.unlocked(event.payload)
    at = adapter.told_at(event.payload, event.received_at)
    people.seen(people.known(event.account_id, buyer), at)
    _mark(event, platform_id, {"unlocked_at": at})


def _mark(event: Event, platform_id: str, values: dict[str, datetime]) -> None:
    insert_unless_there(MessageMark, [{"account_id": event.account_id, "platform_message_id": platform_id}])
    columns = {getattr(MessageMark, name): at for name, at in values.items()}
    db.session.execute(
        update(MessageMark)
        .where(MessageMark.account_id == event.account_id, MessageMark.platform_message_id == platform_id)
        # The earliest counts, whichever comes first.
        .where(*(or_(column.is_(None), column > at) for column, at in columns.items()))
        .values(**values)
    )
    message = arrivals.find(event.account_id, platform_id)
    if message is not None:
        apply_marks(event.account_id, platform_id)
        arrivals.refresh([message.conversation_id])


def _subscribed(event: Event) -> None:
    fan = people.known(event.account_id, adapter.subscriber(event.payload))
    at = adapter.told_at(event.payload, event.received_at)
    people.subscribed(fan, people.EXPIRED if event.name == "subscriptions.expired" else people.ACTIVE, at)
    if event.name != "subscriptions.expired":
        people.seen(fan, at)


def _tipped(event: Event) -> None:
    """Money is counted by `transactions.new` alone, which follows."""
    fan = people.known(event.account_id, adapter.subscriber(event.payload))
    people.seen(fan, adapter.told_at(event.payload, event.received_at))


def _paid(event: Event) -> None:
    record_payments(event.account_id, [adapter.payment(event.payload)])


def record_payments(account_id: int, paid: list[adapter.Paid]) -> None:
    """Write money received down, each payment once, with its fan."""

    def fan_id(person: Person | None) -> int | None:
        return people.known(account_id, person).id if person is not None else None

    earnings.record(
        account_id,
        [Payment(one.platform_id, one.type, one.gross_cents, one.net_cents, one.at, fan_id(one.fan)) for one in paid],
    )


def _present(event: Event) -> None:
    people.seen(people.known(event.account_id, adapter.who(event.payload)), event.received_at)


def _login(event: Event) -> None:
    """Of all that was heard of the account's login, the newest counts: by its own time, else as it was received."""
    # Written as the index's own condition is, or no database uses it.
    about_logins: ColumnElement[bool] = literal_column("webhook_event.event LIKE 'accounts.%'")
    heard = db.session.scalars(
        select(WebhookEvent)
        .where(WebhookEvent.platform_account == event.platform_account, about_logins)
        .where(WebhookEvent.event.in_([*SIGNED_IN, *SIGNED_OUT]))
        .order_by(WebhookEvent.id.desc())
        .limit(LOGINS_LOOKED_AT)
    )
    newest = max(heard, key=lambda one: (adapter.told_at(one.payload, one.received_at), one.id))
    if newest.event in SIGNED_IN:
        connection.reconnected([event.account_id])
    else:
        connection.require_reconnect(event.account_id, SIGNED_OUT[newest.event])


HANDLERS: Mapping[str, Callable[[Event], None]] = {
    "messages.received": _message,
    "messages.sent": _message,
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
    **dict.fromkeys([*SIGNED_IN, *SIGNED_OUT], _login),
}
