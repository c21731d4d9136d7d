"""Messages that stand in line, for tests: queued, received, claimed; and time that passes."""

from datetime import timedelta

from sqlalchemy import bindparam, select, update

from app.accounts.models import Account, User
from app.conversations.models import Conversation
from app.db import UtcDateTime, transaction
from app.extensions import Model, db
from app.messages import claims, handover, service
from app.messages.claims import Envelope, Idle
from app.messages.models import Attempt, Message, Priority
from app.messages.rules import Draft


def queue(
    author: User,
    conversation: Conversation,
    text: str = "Hello!",
    *,
    priority: Priority = Priority.HIGH,
    media: tuple[str, ...] = (),
    price_cents: int = 0,
    received: bool = True,
) -> Message:
    """A message that may be sent now, or at once after its ticket was `received`."""
    attachments = tuple({"type": "image", "url": url} for url in media)
    draft = Draft(text=text, priority=priority, price_cents=price_cents, attachments=attachments)
    message = service.send(author, conversation.id, draft)
    if received:
        handover.mark_received([message.public_id])
    return message


def claim(account: Account) -> Envelope | None:
    """The account's next message for a call, or None."""
    envelopes, _ = claims.claim_next([account.id])
    return envelopes[0] if envelopes else None


def must_claim(account: Account) -> Envelope:
    """The account's next message for a call."""
    envelope = claim(account)
    assert envelope is not None
    return envelope


def must_claim_chore() -> Envelope:
    """The one upload or look-up that is due."""
    (envelope,) = claims.claim_chores(16)
    return envelope


def idle(account: Account) -> Idle:
    """Why the account has nothing to claim."""
    envelopes, (answer,) = claims.claim_next([account.id])
    assert envelopes == []
    return answer


def fresh(message: Message) -> Message:
    """The same message as it stands in the database."""
    db.session.refresh(message)
    return message


def change(message: Message, **values: object) -> None:
    """Set columns of the message's row."""
    with transaction():
        db.session.execute(update(Message).where(Message.id == message.id).values(**values))


def attempts(message: Message) -> list[Attempt]:
    """The message's attempts, oldest first."""
    query = select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def pass_time(period: timedelta) -> None:
    """Let `period` pass for messages, their attempts and accounts: whatever has a time there lies further back."""
    with transaction():
        for table in (Message, Attempt, Account):
            _shift(table, period)
    db.session.expire_all()


def _shift(table: type[Model], period: timedelta) -> None:
    columns = table.__table__.columns
    moments = {column.name: column for column in columns if isinstance(column.type, UtcDateTime)}
    rows = db.session.execute(select(columns.id, *moments.values())).mappings().all()
    if rows:
        earlier = [{name: row[name] and row[name] - period for name in moments} | {"row": row["id"]} for row in rows]
        change = update(table.__table__).where(columns.id == bindparam("row"))  # type: ignore[arg-type]
        db.session.connection().execute(change.values({name: bindparam(name) for name in moments}), earlier)
