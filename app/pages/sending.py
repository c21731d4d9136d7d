"""What the composer does: one press of Send is one message, however often it arrives."""

from app import idempotency
from app.accounts.models import User
from app.conversations.models import Conversation
from app.db import transaction
from app.errors import Conflict, Invalid, KeyReused
from app.extensions import db
from app.messages import queries
from app.messages import service as messages
from app.messages.models import Message
from app.pages import parts
from app.pages.formats import clock
from app.pages.forms.messages import OUT_OF_DATE, SendForm
from app.pages.listings import read_cursor


class AnsweredByAnother(Conflict):
    """Somebody else wrote to this fan since the page was opened: it is to be said before another message goes."""

    def __init__(self, answer: queries.Answer) -> None:
        super().__init__(f"{answer.name} answered at {clock(answer.at)}, after you opened this conversation.")
        self.answer = answer


def send_once(viewer: User, conversation: Conversation, form: SendForm) -> Message:
    """The message that this press of Send made, now or before; raises Invalid, Conflict or AnsweredByAnother."""
    if not form.validate():
        raise Invalid([], form.faults())
    draft = form.draft()
    body = f"{conversation.id}\n{draft!r}".encode()
    with transaction():
        try:
            use = idempotency.claim(idempotency.Use(viewer.id, "conversations.send", form.key.data, body))
        except KeyReused:
            raise Conflict(OUT_OF_DATE) from None
        if use.result is not None:
            return db.session.get_one(Message, use.result)
        _refuse_unseen_answer(viewer, conversation, form.seen.data)
        message = messages.send(viewer, conversation.id, draft)
        use.result = message.id
    parts.desk().publish([message.id])
    return message


def _refuse_unseen_answer(viewer: User, conversation: Conversation, seen: str | None) -> None:
    answer = queries.answer_of_another(viewer, conversation.id, read_cursor(seen)) if seen else None
    if answer is not None:
        raise AnsweredByAnother(answer)
