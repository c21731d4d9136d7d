"""What people do to messages: send one, cancel it, send a failed or unknown one again."""

import logging
import secrets
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy import ColumnElement, Select, bindparam, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import queries as accounts
from app.accounts import service as audit_log
from app.accounts.models import User
from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import BigId, insert_one, on_commit, transaction
from app.errors import Conflict, NotFound
from app.extensions import db
from app.fans import service as fans
from app.fans.models import Fan
from app.gateways import metrics
from app.gateways.metrics import Metric
from app.messages.models import Message, Priority, Status, Step
from app.messages.rules import Draft
from app.reads import glance

log = logging.getLogger(__name__)
SENT_AGAIN = "This message was sent again already"


def new_public_id() -> str:
    """`msg_` and 32 hex digits."""
    return f"msg_{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a message goes to; a fan whose platform id isn't known can't be reached."""

    account_id: int
    conversation_id: int
    fan_id: int
    platform_id: str | None


def send(viewer: User, conversation_id: int, draft: Draft) -> Message:
    """Queue `draft` in a conversation of the viewer's; raises NotFound, or Conflict for a fan without platform id."""
    with transaction():
        found = db.session.execute(
            select(Conversation.account_id, Conversation.id, Fan.id, Fan.platform_id)
            .join(Fan, Fan.id == Conversation.fan_id)
            .where(Conversation.id == conversation_id, Conversation.account_id.in_(accounts.visible_ids(viewer)))
        ).first()
        if found is None:
            raise NotFound("Conversation not found")
        return accept(viewer, Addressee(*found), draft)


def send_to_recipient(
    viewer: User, account_id: int | None, recipient_id: str, draft: Draft, *, public_id: str | None = None
) -> Message:
    """Queue `draft` for the fan with this platform id, who becomes a fan of the account when unknown.

    Raises NotFound or Invalid when the account isn't the viewer's to name.
    """
    values = {"viewer": accounts.scope_of(viewer), "account": account_id, "recipient": recipient_id}
    with transaction():
        account, conversation, fan_id = accounts.only(glance(_meant(account_id is not None), values))
        if conversation is None or fan_id is None:
            fan = fans.ensure(account, recipient_id)
            conversation, fan_id = conversations.open_with(fan).id, fan.id
        return accept(viewer, Addressee(account, conversation, fan_id, recipient_id), draft, public_id=public_id)


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _meant(named: bool) -> Select[int, int | None, int | None]:
    """The account to act for (two, when several may be meant), with the recipient's conversation and fan there."""
    scope = accounts.scope().subquery()
    # Written out: where it is a value, PostgreSQL reckons with many accounts, and plans anew each time.
    meant = select(scope.c.id).limit(literal_column("2"))
    mine = (meant.where(scope.c.id == bindparam("account", type_=BigId)) if named else meant).subquery().c.id
    # As subqueries, so that PostgreSQL finds a fan by account and platform id whatever it thinks of the accounts.
    theirs = (Fan.account_id == mine, Fan.platform_id == bindparam("recipient"))
    fan = select(Fan.id).where(*theirs).scalar_subquery()
    same = select(Conversation.id).join(Fan, Fan.id == Conversation.fan_id).where(*theirs)
    conversation = same.where(Conversation.account_id == mine).scalar_subquery()
    return select(mine, conversation, fan)


def accept(
    viewer: User,
    to: Addressee,
    draft: Draft,
    *,
    public_id: str | None = None,
    retry_of: Message | None = None,
) -> Message:
    """Write the row that promises delivery, in the caller's transaction."""
    if to.platform_id is None:
        raise Conflict("This fan's platform id isn't known yet, so no message can reach them")
    moment = now()
    later = draft.scheduled_at is not None and draft.scheduled_at > moment
    values = {
        "public_id": public_id or new_public_id(),
        "account_id": to.account_id,
        "conversation_id": to.conversation_id,
        "fan_id": to.fan_id,
        "campaign_id": retry_of.campaign_id if retry_of else None,
        "author_id": viewer.id,
        "retry_of_id": retry_of.id if retry_of else None,
        "direction": "out",
        "status": Status.SCHEDULED if later else Status.QUEUED,
        "priority": draft.priority,
        "text": draft.text,
        "price_cents": draft.price_cents,
        "attachments": list(draft.attachments),
        "next_step": Step.UPLOAD if draft.attachments else Step.SEND,
        "created_at": moment,
        "due_at": draft.scheduled_at if later else moment,
        "queued_at": None if later else moment,
    }
    with transaction():
        message = insert_one(Message, values)
        conversations.touch(to.conversation_id, draft.text, moment)
        facts = {"messageId": message.public_id, "accountId": message.account_id, "userId": viewer.id}
        on_commit(partial(log.info, "message_accepted", extra=facts))
        on_commit(partial(metrics.record, Metric.MESSAGES_QUEUED, times=0 if later else 1))
    return message


def mark_read(viewer: User, conversation_id: int) -> None:
    """The viewer has seen the conversation and all that is in it; raises NotFound when it isn't theirs."""
    # Written as the index's own condition is, or SQLite doesn't use it.
    unread: ColumnElement[bool] = literal_column("NOT message.read")
    with transaction():
        conversations.mark_read(viewer, conversation_id)
        db.session.execute(
            update(Message).where(Message.conversation_id == conversation_id, unread).values(read=True),
            execution_options={"synchronize_session": False},
        )


def cancel(viewer: User, message_id: int) -> Message:
    """Take back a scheduled or queued message that can't have arrived; raises NotFound or Conflict."""
    with transaction():
        message = find(viewer, message_id)
        changed = db.session.execute(
            update(Message)
            .where(Message.id == message.id, Message.first_unclear_at.is_(None))
            .where(Message.status.in_([Status.SCHEDULED, Status.QUEUED]))
            .values(status=Status.CANCELED)
            .returning(Message.id)
        ).first()
        if changed is None:
            raise Conflict("It is too late to cancel this message")
        conversations.changed([message.conversation_id])
        audit_log.audit("message.canceled", user=viewer, account_id=message.account_id, message_id=message.public_id)
        db.session.refresh(message)
        return message


def retry(viewer: User, message_id: int) -> Message:
    """Queue a failed message again as a new one, linked to the old; NotFound, or Conflict (not failed, twice)."""
    return _again(viewer, message_id, Status.FAILED, "Only a failed message can be retried")


def send_again(viewer: User, message_id: int) -> Message:
    """Queue an unknown message again although it may have arrived; raises NotFound or Conflict."""
    return _again(viewer, message_id, Status.UNKNOWN, "Only a message whose fate is unknown can be sent again")


def _again(viewer: User, message_id: int, status: Status, refusal: str) -> Message:
    try:
        with transaction():
            return _queue_again(viewer, message_id, status, refusal)
    except IntegrityError:
        # Somebody else did it at the same moment: the old message can be followed by one only.
        raise Conflict(SENT_AGAIN) from None


def _queue_again(viewer: User, message_id: int, status: Status, refusal: str) -> Message:
    with transaction():
        old = find(viewer, message_id)
        if old.status != status:
            raise Conflict(refusal)
        if db.session.scalar(select(Message.id).where(Message.retry_of_id == old.id)) is not None:
            raise Conflict(SENT_AGAIN)
        platform_id = db.session.get_one(Fan, old.fan_id).platform_id
        to = Addressee(old.account_id, old.conversation_id, old.fan_id, platform_id)
        draft = Draft(
            text=old.text,
            priority=Priority(old.priority),
            price_cents=old.price_cents,
            attachments=tuple(old.attachments),
        )
        conversations.changed([old.conversation_id])
        audit_log.audit("message.retried", user=viewer, account_id=old.account_id, message_id=old.public_id)
        return accept(viewer, to, draft, retry_of=old)


def find(viewer: User, message_id: int) -> Message:
    """An outgoing message of the viewer's accounts by its integer id; raises NotFound."""
    message = db.session.scalar(
        select(Message)
        .where(Message.id == message_id, Message.direction == "out")
        .where(Message.account_id.in_(accounts.visible_ids(viewer)))
    )
    if message is None:
        raise NotFound("Message not found")
    return message
