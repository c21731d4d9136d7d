"""The panel beside a thread: who this fan is, what they have paid, and what people keep about them."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts.models import Role, User
from app.conversations import queries as conversations
from app.conversations.models import Conversation
from app.earnings import spend
from app.earnings.spend import Spend
from app.fans import service as fans
from app.pages.forms.panel import FanForm
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import wants_fragment

KEPT_OPEN = "panel"
blueprint = Blueprint("panel", __name__, url_prefix="/messages/onlyfans")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


def spend_beside(viewer: User, conversation: Conversation) -> Spend | None:
    """For a page that is drawn with its panel: asked for by its address, or left open in this browser."""
    wanted = KEPT_OPEN in request.args or request.cookies.get(KEPT_OPEN) == "open"
    return spend.of_fan(viewer, conversation.fan_id) if wanted else None


@blueprint.get("/<id:conversation_id>/panel")
def panel(conversation_id: int) -> ResponseReturnValue:
    """The panel alone, or without htmx the page with it."""
    conversation = conversations.conversation(viewer(), conversation_id)
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=conversation.id, panel="open"))
    spent = spend.of_fan(viewer(), conversation.fan_id)
    return render_template("conversations/_panel.html", conversation=conversation, fan=conversation.fan, spend=spent)


@blueprint.post("/<id:conversation_id>/panel")
def keep(conversation_id: int) -> ResponseReturnValue:
    """Write down tags or notes, and say that it is done or why it is refused; what was written stays where it is."""
    conversation = conversations.conversation(viewer(), conversation_id)
    form = FanForm()
    valid = form.validate()
    if valid:
        fans.change(viewer(), conversation.fan_id, form.details())
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=conversation.id, panel="open"))
    refused = None if valid else form.faults()
    html = render_template("conversations/_kept.html", fan=conversation.fan, refused=refused, oob=True)
    return html, 200 if valid else 422
