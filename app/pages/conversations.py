"""The inbox: conversations on the left, one of them on the right, and what is sent from it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Account, Role
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.errors import HuntazeError
from app.messages import service as messages
from app.messages.queries import Answer
from app.monitoring import pulse as pulses
from app.pages import listings, parts, sending
from app.pages.addresses import read_id
from app.pages.forms.messages import SendForm
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import target, wants_fragment
from app.pages.listings import write_cursor
from app.pages.live import Token
from app.pages.panel import spend_beside

blueprint = Blueprint("conversations", __name__, url_prefix="/messages/onlyfans")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


@blueprint.get("")
@blueprint.get("/<id:conversation_id>")
def inbox(conversation_id: int | None = None) -> ResponseReturnValue:
    """The page, or its right column alone when a conversation is chosen in it."""
    conversation = conversations.conversation(viewer(), conversation_id) if conversation_id else None
    account = _account(conversation)
    if account is None:
        return render_template("conversations/no_account.html")
    return _page(account, conversation)


def _page(account: Account, conversation: Conversation | None, **refused: object) -> str:
    alone = wants_fragment() and target() == "thread"
    pulse = pulses.pulse(viewer(), account.id, conversation.id if conversation else None)
    line = parts.line(account)
    return render_template(
        "conversations/_thread.html" if alone else "conversations/inbox.html",
        alone=alone,
        account=account,
        accounts=accounts.visible(viewer()),
        listing=listings.listing(viewer(), account, listings.wanted(), request.args.get("after")),
        wanted=listings.wanted(),
        conversation=conversation,
        thread=parts.thread(viewer(), conversation, request.args.get("before")) if conversation else None,
        spend=spend_beside(viewer(), conversation) if conversation else None,
        line=line,
        token=Token.of(pulse, line),
        **refused,
    )


@blueprint.get("/rows")
def rows() -> ResponseReturnValue:
    """A page of the list: the first one for a search or filter, the following ones on scrolling down."""
    account = accounts.account(viewer(), read_id(request.args.get("account")) or 0)
    after = request.args.get("after")
    found = listings.listing(viewer(), account, listings.wanted(), after)
    selected = listings.opened()
    page = listings.address(account.id, selected, found.filter)
    template = "conversations/_row_items.html" if after else "conversations/_rows.html"
    html = render_template(template, listing=found, selected=selected)
    return html, {} if after else {"HX-Replace-Url": page}


@blueprint.get("/<id:conversation_id>/older")
def older(conversation_id: int) -> ResponseReturnValue:
    """The stretch of a conversation before the cursor `before`."""
    conversation = conversations.conversation(viewer(), conversation_id)
    stretch = parts.thread(viewer(), conversation, request.args.get("before"))
    return render_template("conversations/_messages.html", thread=stretch)


@blueprint.post("/<id:conversation_id>/read")
def read(conversation_id: int) -> ResponseReturnValue:
    """The conversation has been seen."""
    messages.mark_read(viewer(), conversation_id)
    conversation = conversations.conversation(viewer(), conversation_id)
    account = accounts.account(viewer(), conversation.account_id)
    unread = conversations.count_unread(viewer(), account.id)
    listing = listings.Listing(account, listings.wanted(), [conversation], None, False, unread)
    return render_template("conversations/_read.html", conversation=conversation, listing=listing)


@blueprint.post("/<id:conversation_id>/send")
def send(conversation_id: int) -> ResponseReturnValue:
    """Queue a message; a refused one comes back with its text and the reason."""
    conversation = conversations.conversation(viewer(), conversation_id)
    form = SendForm()
    try:
        message = sending.send_once(viewer(), conversation, form)
    except sending.AnsweredByAnother as refusal:
        return _refuse(conversation, form, refusal, refusal.answer)
    except HuntazeError as refusal:
        return _refuse(conversation, form, refusal)
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=conversation.id))
    return render_template("conversations/_bubbles.html", bubbles=parts.bubbles(viewer(), [message]))


def _refuse(
    conversation: Conversation, form: SendForm, refusal: HuntazeError, answer: Answer | None = None
) -> ResponseReturnValue:
    if wants_fragment():
        seen = write_cursor(answer.at, answer.message_id) if answer else None
        html = render_template("conversations/_refusal.html", reason=refusal.message)
        return html, 422, {"X-Seen": seen} if seen else {}
    account = accounts.account(viewer(), conversation.account_id)
    return _page(account, conversation, form=form, reason=refusal.message), 422


def _account(conversation: Conversation | None) -> Account | None:
    if conversation is not None:
        return accounts.account(viewer(), conversation.account_id)
    named = request.args.get("account")
    if named is not None:
        return accounts.account(viewer(), read_id(named) or 0)
    mine = accounts.visible(viewer())
    return mine[0] if mine else None
