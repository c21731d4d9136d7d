"""The panel beside a thread: who this fan is, what they have paid, and what people keep about them."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Panel:
    """What the panel shows besides the fan; `reason`: why what was written is refused."""

    spend: Spend
    reason: str | None = None
    form: FanForm | None = None
    saved: bool = False


def panel_beside(viewer: User, conversation: Conversation) -> Panel | None:
    """The panel of a page that is drawn with it: asked for by its address, or left open in this browser."""
    if KEPT_OPEN not in request.args and request.cookies.get(KEPT_OPEN) != "open":
        return None
    return Panel(spend.of_fan(viewer, conversation.fan_id))


@blueprint.get("/<id:conversation_id>/panel")
def panel(conversation_id: int) -> ResponseReturnValue:
    """The panel alone, or without htmx the page with it."""
    conversation = conversations.conversation(viewer(), conversation_id)
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=conversation.id, panel="open"))
    return _show(conversation, Panel(spend.of_fan(viewer(), conversation.fan_id)))


@blueprint.post("/<id:conversation_id>/panel")
def keep(conversation_id: int) -> ResponseReturnValue:
    """Write down tags or notes; what is refused comes back as it was written, with the reason."""
    conversation = conversations.conversation(viewer(), conversation_id)
    form = FanForm()
    valid = form.validate()
    if valid:
        fans.change(viewer(), conversation.fan_id, form.details())
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=conversation.id, panel="open"))
    spent = spend.of_fan(viewer(), conversation.fan_id)
    if valid:
        return _show(conversation, Panel(spent, saved=True))
    return _show(conversation, Panel(spent, form.faults(), form)), 422


def _show(conversation: Conversation, shown: Panel) -> str:
    return render_template("conversations/_panel.html", conversation=conversation, fan=conversation.fan, panel=shown)
