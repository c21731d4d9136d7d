"""Messages that failed, and what is done to single messages: retry, cancel, send again."""

from flask import Blueprint

from app.accounts.models import User
from app.api.contract import contract
from app.api.messages import NO_ACCOUNT, desk
from app.api.schemas.failed import Canceled, Checked, Confirmation, FailedItem, FailedList, FailedQuery, Retried
from app.delivery import checking
from app.messages import lists, service
from app.messages.models import Message

blueprint = Blueprint("api_failed", __name__, url_prefix="/api/onlyfans/messages")
TEN = "10 per minute"


@blueprint.get("/failed")
@contract("Failed messages", answers={200: FailedList}, refusals={404: NO_ACCOUNT})
def list_failed(viewer: User, query: FailedQuery) -> FailedList:
    """What failed in the last 7 days and wasn't retried, the newest first. Older ones can be retried by their id."""
    page = lists.failed(viewer, query.account_id, query.limit, query.offset)
    items = [FailedItem.of(message, owner_id) for message, owner_id in page.rows]
    return FailedList(messages=items, total=page.total, limit=query.limit, offset=query.offset)


@blueprint.post("/<reference:message_id>/retry")
@contract(
    "Retry a failed message",
    answers={202: Retried},
    limit=TEN,
    refusals={409: "It didn't fail, or was retried already"},
)
def retry_message(message_id: str, viewer: User) -> Retried:
    """Queue it again as a new message, linked to the old one. `message_id` is the integer id or the `msg_…` id."""
    return _published(service.retry(viewer, lists.resolve(viewer, message_id)))


@blueprint.post("/<reference:message_id>/cancel")
@contract("Cancel a message", answers={200: Canceled}, limit=TEN, refusals={409: "It is too late"})
def cancel_message(message_id: str, viewer: User) -> Canceled:
    """Take back a message that is scheduled or queued."""
    return Canceled.model_validate(service.cancel(viewer, lists.resolve(viewer, message_id)))


@blueprint.post("/<reference:message_id>/send-again")
@contract(
    "Send an unknown message again",
    answers={202: Retried},
    limit=TEN,
    refusals={409: "Its fate is known, or it was sent again already"},
)
def send_message_again(message_id: str, viewer: User, body: Confirmation) -> Retried:  # noqa: ARG001
    """Queue it again, as a new message, although it may have arrived: `confirm` says that you know."""
    return _published(service.send_again(viewer, lists.resolve(viewer, message_id)))


@blueprint.post("/<reference:message_id>/check")
@contract(
    "Look an unknown message up",
    answers={202: Checked},
    limit=TEN,
    refusals={409: "Its fate is known"},
)
def check_message(message_id: str, viewer: User) -> Checked:
    """Have its chat looked through: it turns to `sent` when it stands there, to `failed` when it surely doesn't.

    The look itself may take a minute; read the conversation's messages to see what it found.
    """
    return Checked.model_validate(checking.begin(viewer, lists.resolve(viewer, message_id)))


def _published(message: Message) -> Retried:
    desk().publish([message.id])
    return Retried.model_validate(message)
