"""What is done to single messages: cancel one that waits, look up or send again what went wrong."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.accounts.models import Role
from app.delivery import checking
from app.messages import service
from app.messages.models import Message
from app.pages import parts
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import wants_fragment

blueprint = Blueprint("messages", __name__, url_prefix="/messages")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


@blueprint.post("/<id:message_id>/cancel")
def cancel(message_id: int) -> ResponseReturnValue:
    """Take back a message that has not left yet."""
    return _show(service.cancel(viewer(), message_id))


@blueprint.post("/<id:message_id>/retry")
def retry(message_id: int) -> ResponseReturnValue:
    """Queue a failed message again."""
    return _again(service.retry(viewer(), message_id))


@blueprint.post("/<id:message_id>/send-again")
def send_again(message_id: int) -> ResponseReturnValue:
    """Queue a message again of which nobody knows whether it arrived."""
    return _again(service.send_again(viewer(), message_id))


@blueprint.post("/<id:message_id>/check")
def check(message_id: int) -> ResponseReturnValue:
    """Have its chat looked through for a message of which nobody knows whether it arrived; a poll shows the finding."""
    return _show(checking.begin(viewer(), message_id), looking=True)


def _again(new: Message) -> ResponseReturnValue:
    parts.desk().publish([new.id])
    return _show(service.find(viewer(), new.retry_of_id or new.id), new)


def _show(*changed: Message, looking: bool = False) -> ResponseReturnValue:
    if not wants_fragment():
        return redirect(url_for("conversations.inbox", conversation_id=changed[0].conversation_id))
    return render_template("conversations/_bubbles.html", bubbles=parts.bubbles(viewer(), changed, looking))
