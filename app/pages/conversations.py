"""The inbox: conversations on the left, one of them on the right, and what is sent from it."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Account, Role
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.errors import HuntazeError, NotFound
from app.messages import pulse as pulses
from app.messages import service as messages
from app.pages import parts, sending
from app.pages.addresses import read_id
from app.pages.forms.messages import SendForm
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import shown_path, target, wants_fragment
from app.pages.live import Token

SEARCH_LENGTH = 100
OPEN_MOST = 200
CONVERSATION_PATH = re.compile(r"/messages/onlyfans/(\d{1,18})")
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
        listing=parts.listing(viewer(), account, _filter(), request.args.get("after")),
        wanted=_filter(),
        conversation=conversation,
        thread=parts.thread(viewer(), conversation, request.args.get("before")) if conversation else None,
        line=line,
        token=Token.of(pulse, line),
        **refused,
    )


@blueprint.get("/rows")
def rows() -> ResponseReturnValue:
    """A page of the list: the first one for a search or filter, the following ones on scrolling down."""
    account = accounts.account(viewer(), read_id(request.args.get("account")) or 0)
    after = request.args.get("after")
    found = parts.listing(viewer(), account, _filter(), after)
    shown = CONVERSATION_PATH.fullmatch(shown_path())
    page = parts.address(account.id, shown and int(shown[1]), _filter())
    template = "conversations/_row_items.html" if after else "conversations/_rows.html"
    html = render_template(template, listing=found, selected=int(shown[1]) if shown else None)
    return html, {} if after else {"HX-Replace-Url": page}


@blueprint.get("/<id:conversation_id>/older")
def older(conversation_id: int) -> ResponseReturnValue:
    """The stretch of a conversation before the cursor `before`."""
    conversation = conversations.conversation(viewer(), conversation_id)
    stretch = parts.thread(viewer(), conversation, request.args.get("before"))
    return render_template("conversations/_messages.html", thread=stretch)


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """What has changed since the page was drawn or polled; 204 when nothing has."""
    account_id, conversation_id = read_id(request.args.get("account")), read_id(request.args.get("c"))
    if account_id is None:
        raise NotFound
    seen = Token.read(request.args.get("v"))
    pulse = pulses.pulse(viewer(), account_id, conversation_id)
    if not seen.list_changed(pulse) and not seen.thread_changed(pulse):
        return "", 204
    return _changes(accounts.account(viewer(), account_id), conversation_id, seen, pulse)


def _changes(account: Account, conversation_id: int | None, seen: Token, pulse: pulses.Pulse) -> str:
    conversation = conversations.conversation(viewer(), conversation_id) if conversation_id else None
    line = parts.line(account)
    redraw = conversation is not None and seen.thread_changed(pulse)
    return render_template(
        "conversations/_live.html",
        account=account,
        listing=parts.listing(viewer(), account, _filter()) if seen.list_changed(pulse) else None,
        wanted=_filter(),
        conversation=conversation,
        thread=parts.thread_news(viewer(), conversation, *_shown_ids()) if conversation and redraw else None,
        line=line,
        token=Token.of(pulse, line),
    )


@blueprint.post("/<id:conversation_id>/read")
def read(conversation_id: int) -> ResponseReturnValue:
    """The conversation has been seen."""
    messages.mark_read(viewer(), conversation_id)
    conversation = conversations.conversation(viewer(), conversation_id)
    account = accounts.account(viewer(), conversation.account_id)
    unread = conversations.count_unread(viewer(), account.id)
    listing = parts.Listing(account, _filter(), [conversation], None, False, unread)
    return render_template("conversations/_read.html", conversation=conversation, listing=listing)


@blueprint.post("/<id:conversation_id>/send")
def send(conversation_id: int) -> ResponseReturnValue:
    """Queue a message; a refused one comes back with its text and the reason."""
    conversation = conversations.conversation(viewer(), conversation_id)
    form = SendForm()
    try:
        message = sending.send_once(viewer(), conversation, form)
    except HuntazeError as refusal:
        return _refuse(conversation, form, refusal)
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=conversation.id))
    return render_template("conversations/_bubbles.html", bubbles=parts.bubbles([message]))


def _refuse(conversation: Conversation, form: SendForm, refusal: HuntazeError) -> ResponseReturnValue:
    if wants_fragment():
        return render_template("conversations/_refusal.html", reason=refusal.message), 422
    account = accounts.account(viewer(), conversation.account_id)
    return _page(account, conversation, text=form.text.data, reason=refusal.message), 422


def _account(conversation: Conversation | None) -> Account | None:
    if conversation is not None:
        return accounts.account(viewer(), conversation.account_id)
    named = request.args.get("account")
    if named is not None:
        return accounts.account(viewer(), read_id(named) or 0)
    mine = accounts.visible(viewer())
    return mine[0] if mine else None


def _filter() -> parts.Filter:
    search = request.args.get("q", "").replace("\x00", "").strip()[:SEARCH_LENGTH]
    return parts.Filter(unread=request.args.get("filter") == "unread", search=search)


def _shown_ids() -> tuple[list[int], int | None]:
    named = (read_id(text) for text in request.args.get("open", "").split(",")[:OPEN_MOST])
    return [message_id for message_id in named if message_id is not None], read_id(request.args.get("newest"))
