"""What people do to messages: send one, cancel it, send a failed or unknown one again."""

import logging
import secrets
from functools import cache, partial

from sqlalchemy import ColumnElement, Select, bindparam, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import queries as accounts
from app.accounts import service as audit_log
from app.accounts.models import User
from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import BigId, on_commit, transaction
from app.errors import Conflict, NotFound
from app.extensions import db
from app.fans import service as fans
from app.fans.models import Fan
from app.gateways import metrics
from app.gateways.metrics import Metric
from app.messages.models import Message, Priority, Status, Step
from app.messages.rules import Draft

log = logging.getLogger(__name__)
SENT_AGAIN = "This message was sent again already"


def new_public_id() -> str:
    """`msg_` and 32 hex digits."""
    return f"msg_{secrets.token_hex(16)}"


def send(viewer: User, conversation_id: int, draft: Draft) -> Message:
    """Queue `draft` in a conversation of the viewer's; raises NotFound, or Conflict for a fan without platform id."""
    with transaction():
        found = db.session.execute(
            select(Conversation, Fan)
            .join(Fan, Fan.id == Conversation.fan_id)
            .where(Conversation.id == conversation_id, Conversation.account_id.in_(accounts.visible_ids(viewer)))
        ).first()
        if found is None:
            raise NotFound("Conversation not found")
        return accept(viewer, found.Conversation, found.Fan, draft)


def send_to_recipient(
    viewer: User, account_id: int | None, recipient_id: str, draft: Draft, *, public_id: str | None = None
) -> Message:
    """Queue `draft` for the fan with this platform id, who becomes a fan of the account when unknown.

    Raises NotFound or Invalid when the account isn't the viewer's to name.
    """
    with transaction():
        account_id = accounts.acting_for(viewer, account_id)
        known = db.session.execute(_known(), {"account": account_id, "recipient": recipient_id}).one_or_none()
        if known is not None:
            return accept(viewer, known.Conversation, known.Fan, draft, public_id=public_id)
        fan = fans.ensure(account_id, recipient_id)
        return accept(viewer, conversations.open_with(fan), fan, draft, public_id=public_id)


# Built once: SQLAlchemy takes longer to build it than a database to answer it.
@cache
def _known() -> Select[Conversation, Fan]:
    recipient = (Fan.account_id == bindparam("account", type_=BigId)) & (Fan.platform_id == bindparam("recipient"))
    return select(Conversation, Fan).join(Fan, Fan.id == Conversation.fan_id).where(recipient)


def accept(
    viewer: User,
    conversation: Conversation,
    fan: Fan,
    draft: Draft,
    *,
    public_id: str | None = None,
    retry_of: Message | None = None,
) -> Message:
    """Write the row that promises delivery, in the caller's transaction."""
    if fan.platform_id is None:
        raise Conflict("This fan's platform id isn't known yet, so no message can reach them")
    moment = now()
    later = draft.scheduled_at is not None and draft.scheduled_at > moment
    message = Message(
        public_id=public_id or new_public_id(),
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        fan_id=fan.id,
        campaign_id=retry_of.campaign_id if retry_of else None,
        author_id=viewer.id,
        retry_of_id=retry_of.id if retry_of else None,
        direction="out",
        status=Status.SCHEDULED if later else Status.QUEUED,
        priority=draft.priority,
        text=draft.text,
        price_cents=draft.price_cents,
        attachments=list(draft.attachments),
        next_step=Step.UPLOAD if draft.attachments else Step.SEND,
        created_at=moment,
        due_at=draft.scheduled_at if later else moment,
        queued_at=None if later else moment,
    )
    with transaction():
        db.session.add(message)
        db.session.flush()
        conversations.touch(conversation.id, draft.text, moment)
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
        conversation = db.session.get_one(Conversation, old.conversation_id)
        fan = db.session.get_one(Fan, old.fan_id)
        draft = Draft(
            text=old.text,
            priority=Priority(old.priority),
            price_cents=old.price_cents,
            attachments=tuple(old.attachments),
        )
        conversations.changed([conversation.id])
        audit_log.audit("message.retried", user=viewer, account_id=old.account_id, message_id=old.public_id)
        return accept(viewer, conversation, fan, draft, retry_of=old)


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
