"""What the composer does: one press of Send is one message, however often it arrives."""

from app import idempotency
from app.accounts.models import User
from app.conversations.models import Conversation
from app.db import transaction
from app.errors import Conflict, Invalid, KeyReused
from app.extensions import db
from app.messages import service as messages
from app.messages.models import Message
from app.pages import parts
from app.pages.forms.messages import OUT_OF_DATE, SendForm


def send_once(viewer: User, conversation: Conversation, form: SendForm) -> Message:
    """The message that this press of Send made, now or before; raises Invalid or Conflict."""
    if not form.validate():
        raise Invalid([], form.faults())
    draft = form.draft()
    body = f"{conversation.id}\n{draft.text}".encode()
    with transaction():
        try:
            use = idempotency.claim(idempotency.Use(viewer.id, "conversations.send", form.key.data, body))
        except KeyReused:
            raise Conflict(OUT_OF_DATE) from None
        if use.result is not None:
            return db.session.get_one(Message, use.result)
        message = messages.send(viewer, conversation.id, draft)
        use.result = message.id
    parts.desk().publish([message.id])
    return message
