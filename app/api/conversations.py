"""Conversations: the inbox, a thread, and writing into it."""

from functools import partial

from flask import Blueprint

from app.accounts.models import User
from app.accounts.tokens import Proof
from app.api import cursors
from app.api.contract import contract
from app.api.kept import Found
from app.api.messages import NO_ACCOUNT, accepted
from app.api.once import Once
from app.api.schemas.base import Plain
from app.api.schemas.conversations import (
    ConversationItem,
    Inbox,
    InboxQuery,
    MessageItem,
    NewMessage,
    Thread,
    ThreadQuery,
)
from app.api.schemas.messages import Accepted
from app.conversations import lists as conversations
from app.messages import lists, service


def _inbox_state(proof: Proof, query: InboxQuery) -> Found:
    return conversations.state(proof, query.wanted(), query.limit, query.offset)


def _thread_state(proof: Proof, _query: ThreadQuery, conversation_id: int) -> Found:
    return lists.thread_state(proof, conversation_id)


blueprint = Blueprint("api_conversations", __name__, url_prefix="/api/crm/conversations")


@blueprint.get("")
@contract("Conversations", answers={200: Inbox}, refusals={404: NO_ACCOUNT}, state=_inbox_state)
def list_conversations(proof: Proof, query: InboxQuery) -> Plain:
    """Your accounts' conversations, the newest first."""
    page = conversations.page(proof, query.wanted(), query.limit, query.offset)
    items = [ConversationItem.plain(row) for row in page.rows]
    return Plain(conversations=items, total=page.total, limit=query.limit, offset=query.offset)


@blueprint.get("/<number:conversation_id>/messages")
@contract("Messages of a conversation", answers={200: Thread}, state=_thread_state)
def list_messages(conversation_id: int, proof: Proof, query: ThreadQuery) -> Plain:
    """The newest first; nothing is marked as read. Go on with `before` = `nextCursor`: new messages shift no page."""
    purpose = f"messages:{conversation_id}"
    before = cursors.read(purpose, query.before)
    page = lists.thread(proof, conversation_id, query.limit, query.offset, before)
    return Plain(
        messages=[MessageItem.plain(row) for row in page.rows],
        total=page.total,
        limit=query.limit,
        offset=query.offset,
        nextCursor=cursors.write(purpose, page.following),
    )


@blueprint.post("/<number:conversation_id>/messages")
@contract(
    "Write into a conversation",
    answers={202: Accepted},
    refusals={409: "The fan's platform id isn't known yet, so nothing can reach them"},
)
def write_message(conversation_id: int, viewer: User, body: NewMessage, once: Once) -> Accepted:
    """Queue one message for the conversation's fan; answers as sending does."""
    send = partial(service.send, viewer, conversation_id, body.draft())
    return accepted(once(send, partial(service.find, viewer)))
