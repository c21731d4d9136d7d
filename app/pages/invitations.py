"""The page that an invitation leads to: for managers who are here already, and for those who join by it."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.accounts import invitations
from app.accounts import service as accounts
from app.accounts.models import Role, User
from app.errors import Conflict, HuntazeError, Invalid, NotFound
from app.pages.forms.invitations import AcceptForm, JoinForm
from app.pages.session import enter

blueprint = Blueprint("invitations", __name__, url_prefix="/invitations")


@blueprint.get("/<token>")
def page(token: str) -> ResponseReturnValue:
    """What the invitation is to."""
    return _page(token, JoinForm())


@blueprint.post("/<token>")
def accept(token: str) -> ResponseReturnValue:
    """The signed-in manager accepts, or somebody new joins."""
    me, form = _me(), JoinForm()
    try:
        invitations.offer(token)
        if me is not None:
            _check(AcceptForm())
            invitations.accept(me, token)
        else:
            _check(form)
            enter(invitations.join(token, form.name.data, form.email.data, form.password.data))
    except NotFound:
        return _page(token, form)
    except HuntazeError as refusal:
        return _page(token, form, _words(refusal))
    flash("You work for this account now.")
    return redirect(url_for("conversations.inbox"), 303)


def _me() -> User | None:
    return current_user.user if current_user.is_authenticated else None


def _check(form: AcceptForm | JoinForm) -> None:
    if not form.validate():
        raise Invalid([], " ".join(str(message) for messages in form.errors.values() for message in messages))


def _words(refusal: HuntazeError) -> str:
    if isinstance(refusal, Conflict):
        return f"{refusal.message}. If that's you, sign in first."
    problems = refusal.problems if isinstance(refusal, Invalid) else []
    return " ".join(f"{problem.message}." for problem in problems) or refusal.message


def _page(token: str, form: JoinForm, reason: str | None = None) -> ResponseReturnValue:
    try:
        offer = invitations.offer(token)
    except NotFound as gone:
        return render_template("invitations/gone.html", reason=gone.message), 404
    me = _me()
    text = render_template(
        "invitations/page.html",
        offer=offer,
        form=form,
        me=me,
        may_accept=me is not None and me.role == Role.MANAGER,
        shortest=accounts.PASSWORD_LENGTH[0],
        reason=reason,
        here=url_for("invitations.page", token=token),
    )
    return text if reason is None else (text, 422)
