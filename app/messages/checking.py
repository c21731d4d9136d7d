"""What a look into its chat says of an `unknown` message that a person asked about."""

from datetime import timedelta

from sqlalchemy import func, select, update

from app.accounts.models import Account, User
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import database_now, transaction
from app.errors import Conflict
from app.extensions import db
from app.fans.models import Fan
from app.messages import outcomes, service
from app.messages.claims import Envelope
from app.messages.models import Attempt, Message, Status, Step
from app.messages.outcomes import Sent

MAY_STILL_ARRIVE = timedelta(seconds=60)
ABSENT = "Its chat was looked through: it did not arrive"
NOT_YET = "It is not in its chat yet; check again in a minute"
NOT_NOW = "Its chat could not be read just now: {reason}"


def unknown(viewer: User, message_id: int) -> Message:
    """The viewer's message of which nobody knows whether it arrived; raises NotFound, or Conflict when one does."""
    message = service.find(viewer, message_id)
    if message.status != Status.UNKNOWN:
        raise Conflict("Only a message whose fate is unknown can be checked")
    return message


def envelope(message_id: int) -> Envelope | None:
    """What a look-up needs; None when the message isn't unknown any more."""
    began = select(func.min(Attempt.started_at)).where(Attempt.message_id == message_id).scalar_subquery()
    row = db.session.execute(
        select(Message, Fan.platform_id, Account.platform_id, Account.api_key_encrypted, Conversation.unread_count)
        .add_columns(began)
        .join(Fan, Fan.id == Message.fan_id)
        .join(Account, Account.id == Message.account_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id == message_id, Message.status == Status.UNKNOWN)
    ).one_or_none()
    if row is None:
        return None
    message, chat, platform_account, api_key, unread, first_attempt = row
    return Envelope(
        message_id=message.id,
        public_id=message.public_id,
        account_id=message.account_id,
        conversation_id=message.conversation_id,
        fan_id=message.fan_id,
        campaign_id=message.campaign_id,
        claim_id="",
        step=Step.LOOK_UP,
        platform_account=platform_account,
        api_key_encrypted=api_key,
        chat=chat,
        text=message.text,
        price_cents=message.price_cents,
        attachments=message.attachments,
        media_ids=message.media_ids,
        attempts=message.attempts,
        key_generation=message.key_generation,
        first_unclear_at=first_attempt or message.first_unclear_at or message.created_at,
        unreadable_since=None,
        claimed_at=database_now(),
        chat_unread=unread > 0,
    )


def found(of: Envelope, platform_ids: list[str]) -> bool:
    """The chat holds these that look like it, oldest last: it was sent, unless they are other rows' messages."""
    taken = outcomes.taken_platform_ids(of.account_id, platform_ids, but=of.message_id)
    ours = [platform_id for platform_id in platform_ids if platform_id not in taken]
    if ours:
        outcomes.record([(of, Sent(ours[-1]))])
    return bool(ours)


def absent(of: Envelope) -> None:
    """The chat doesn't hold it: it failed, once no call of it can arrive any more."""
    with transaction():
        now = database_now()
        newest = db.session.scalar(select(func.max(Attempt.started_at)).where(Attempt.message_id == of.message_id))
        if newest is not None and newest > now - MAY_STILL_ARRIVE:
            _say(of, NOT_YET)
        else:
            _say(of, ABSENT, status=Status.FAILED, error_code="NOT_IN_CHAT", failed_at=now)


def unreadable(of: Envelope, reason: str) -> None:
    """Its chat couldn't be read: nobody knows more than before."""
    _say(of, NOT_NOW.format(reason=reason))


def _say(of: Envelope, error: str, **values: object) -> None:
    with transaction():
        db.session.execute(
            update(Message)
            .where(Message.id == of.message_id, Message.status == Status.UNKNOWN)
            .values(error=error[:500], **values)
        )
        conversations.changed([of.conversation_id])
