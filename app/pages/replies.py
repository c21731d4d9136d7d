"""Saved replies: a small page to keep them, and the menu that the composer opens at `/`."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Account, Role
from app.campaigns import rules
from app.conversations import queries as conversations
from app.conversations import service
from app.conversations.models import SavedReply
from app.errors import HuntazeError, Invalid
from app.pages.addresses import read_id
from app.pages.forms.replies import ReplyForm
from app.pages.guard import account_shown, closed_to_all_but, viewer

blueprint = Blueprint("replies", __name__, url_prefix="/messages/saved-replies")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The account's saved replies."""
    account = account_shown()
    return render_template("conversations/no_account.html") if account is None else _page(account)


@blueprint.post("")
def add() -> ResponseReturnValue:
    """Keep another one; a refused one comes back with what was written and the reason."""
    account = accounts.account(viewer(), read_id(request.args.get("account")) or 0)
    form = ReplyForm()
    try:
        _check(form)
        service.save_reply(viewer(), account.id, form.shortcut.data, form.text.data)
    except HuntazeError as refusal:
        return _page(account, form=form, reason=refusal.message), 422
    return _done(account.id, f"/{form.shortcut.data} is saved.")


@blueprint.post("/<id:reply_id>")
def change(reply_id: int) -> ResponseReturnValue:
    """Write it anew."""
    reply = conversations.saved_reply(viewer(), reply_id)
    form = ReplyForm()
    try:
        _check(form)
        service.change_reply(viewer(), reply.id, form.shortcut.data, form.text.data)
    except HuntazeError as refusal:
        account = accounts.account(viewer(), reply.account_id)
        return _page(account, form=form, reason=refusal.message, edited=reply_id), 422
    return _done(reply.account_id, f"/{form.shortcut.data} is saved.")


@blueprint.post("/<id:reply_id>/remove")
def remove(reply_id: int) -> ResponseReturnValue:
    """Take it out."""
    reply = service.remove_reply(viewer(), reply_id)
    return _done(reply.account_id, f"/{reply.shortcut} is gone.")


@blueprint.get("/menu")
def menu() -> ResponseReturnValue:
    """All of them as the composer inserts them, filled in for the fan of conversation `c`."""
    conversation = conversations.conversation(viewer(), read_id(request.args.get("c")) or 0)
    found = conversations.saved_replies(viewer(), conversation.account_id)
    replies = [(reply, rules.render(reply.text, conversation.fan)) for reply in found]
    return render_template("replies/_menu.html", replies=replies, account_id=conversation.account_id)


def _check(form: ReplyForm) -> None:
    if not form.validate():
        raise Invalid([], form.faults())


def _page(account: Account, form: ReplyForm | None = None, reason: str | None = None, edited: int | None = None) -> str:
    replies: list[SavedReply] = conversations.saved_replies(viewer(), account.id)
    return render_template(
        "replies/page.html",
        account=account,
        accounts=accounts.visible(viewer()),
        replies=replies,
        form=form,
        reason=reason,
        edited=edited,
    )


def _done(account_id: int, words: str) -> ResponseReturnValue:
    flash(words)
    return redirect(url_for("replies.page", account=account_id), 303)
