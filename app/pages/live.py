"""The poll: what has changed since a page was drawn or polled; "nothing new" has the price of one query."""

import time
from dataclasses import astuple, dataclass
from typing import Self

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Role
from app.conversations import queries as conversations
from app.errors import NotFound
from app.messages import queries as messages
from app.messages.queries import Answer
from app.monitoring import pulse as pulses
from app.monitoring.pulse import Pulse
from app.pages import guard, listings, parts, session
from app.pages.addresses import read_id
from app.pages.guard import viewer
from app.pages.parts import Line

LOOKS_AGAIN_AFTER = 10
OPEN_MOST = 200
NEVER = "0"
blueprint = Blueprint("live", __name__, url_prefix="/messages/onlyfans")


@dataclass(frozen=True, slots=True)
class Token:
    """The pulse at which a page was drawn, and the Unix time from which its line is out of date, or NEVER."""

    inbox: str
    thread: str
    line: str
    stale_at: str

    @classmethod
    def of(cls, pulse: Pulse, line: Line) -> Self:
        """What the page that is being drawn has seen."""
        stale_at = str(int(time.time()) + LOOKS_AGAIN_AFTER) if line.moving else NEVER
        return cls(pulse.inbox, str(pulse.thread), pulse.line, stale_at)

    @classmethod
    def read(cls, text: str | None) -> Self:
        """The token that a browser sent; what isn't one has seen nothing."""
        pieces = (text or "").split(".")
        return cls(*pieces) if len(pieces) == 4 else cls("", "", "", "")

    def __str__(self) -> str:
        return ".".join(astuple(self))

    def list_changed(self, pulse: Pulse) -> bool:
        """Whether the list may look different by now."""
        return self.inbox != pulse.inbox

    def thread_changed(self, pulse: Pulse) -> bool:
        """Whether bubbles or the line may look different by now."""
        return self.thread != str(pulse.thread) or self.line != pulse.line or self._stale()

    def _stale(self) -> bool:
        return self.stale_at != NEVER and (read_id(self.stale_at) or 0) <= time.time()


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """What has changed since the page was drawn or polled; 204 when nothing has."""
    account_id, conversation_id = read_id(request.args.get("account")), read_id(request.args.get("c"))
    pulse = pulses.poll(session.token(), account_id or 0, conversation_id)
    if pulse is None:
        return _refuse()
    seen = Token.read(request.args.get("v"))
    if not seen.list_changed(pulse) and not seen.thread_changed(pulse):
        return "", 204
    return _changes(account_id or 0, conversation_id, seen, pulse)


def _refuse() -> ResponseReturnValue:
    """Who is signed out, has no business here, or asked for what isn't theirs is told so as on every other page."""
    refusal = guard.refuse((Role.CREATOR, Role.MANAGER))
    if refusal is None:
        raise NotFound
    return refusal


def _changes(account_id: int, conversation_id: int | None, seen: Token, pulse: Pulse) -> str:
    account = accounts.account(viewer(), account_id)
    conversation = conversations.conversation(viewer(), conversation_id) if conversation_id else None
    line, wanted = parts.line(account), listings.wanted()
    redraw = conversation is not None and seen.thread_changed(pulse)
    return render_template(
        "conversations/_live.html",
        account=account,
        listing=listings.listing(viewer(), account, wanted) if seen.list_changed(pulse) else None,
        wanted=wanted,
        conversation=conversation,
        thread=parts.thread_news(viewer(), conversation, *_shown_ids()) if conversation and redraw else None,
        others=_answer_of_another(conversation_id),
        line=line,
        token=Token.of(pulse, line),
    )


def _answer_of_another(conversation_id: int | None) -> Answer | None:
    since = listings.read_cursor(request.args.get("seen"))
    return messages.answer_of_another(viewer(), conversation_id, since) if conversation_id and since else None


def _shown_ids() -> tuple[list[int], int | None]:
    named = (read_id(text) for text in request.args.get("open", "").split(",")[:OPEN_MOST])
    return [message_id for message_id in named if message_id is not None], read_id(request.args.get("newest"))
