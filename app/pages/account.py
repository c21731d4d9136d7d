"""What everybody does to their own sign-in: password, sessions, second factor, personal tokens."""

from collections.abc import Callable
from typing import Any

import segno
from flask import Blueprint, current_app, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.accounts import api_tokens, second_factor, sessions
from app.accounts import service as accounts
from app.accounts.models import Role
from app.errors import HuntazeError, Invalid, NotAllowed, NotFound
from app.pages import limits
from app.pages.forms.account import CodeForm, ConfirmForm, PasswordForm, TokenForm
from app.pages.guard import closed_to_all_but, viewer
from app.pages.session import enter

blueprint = Blueprint("account", __name__, url_prefix="/account")
closed_to_all_but(blueprint, *Role)
_confirm_password = limits.per_address(limits.per_email(accounts.confirm_password))


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The account page."""
    return _page()


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Another password: everything else that is signed in is signed out."""

    def act() -> ResponseReturnValue:
        form = PasswordForm()
        _check(form)
        _confirm(form)
        user = viewer()
        accounts.change_password(user, form.new.data)
        enter(user)
        return _done("Your password is changed. Other browsers and programs are signed out.")

    return _try("password", act)


@blueprint.post("/sessions/<id:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign another browser out."""
    sessions.end_one(viewer(), session_id)
    return _done("That browser is signed out.")


@blueprint.post("/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    """Sign all other browsers out."""
    sessions.end_others(viewer(), current_user.token)
    return _done("All other browsers are signed out.")


@blueprint.post("/second-factor/begin")
def begin_second_factor() -> ResponseReturnValue:
    """Show the QR code of a new secret."""

    def act() -> ResponseReturnValue:
        _confirm()
        second_factor.begin(viewer(), _encryption_key())
        return redirect(url_for("account.page", _anchor="second-factor"), 303)

    return _try("second-factor", act)


@blueprint.post("/second-factor/confirm")
def confirm_second_factor() -> ResponseReturnValue:
    """Turn it on by its first code, and show the recovery codes."""

    def act() -> ResponseReturnValue:
        form = CodeForm()
        _check(form)
        return _page("second-factor", codes=second_factor.confirm(viewer(), form.code.data, _encryption_key()))

    return _try("second-factor", act)


@blueprint.post("/second-factor/codes")
def renew_recovery_codes() -> ResponseReturnValue:
    """New recovery codes."""

    def act() -> ResponseReturnValue:
        _confirm()
        return _page("second-factor", codes=second_factor.renew_recovery_codes(viewer()))

    return _try("second-factor", act)


@blueprint.post("/second-factor/off")
def turn_off_second_factor() -> ResponseReturnValue:
    """Ask for no code any more."""

    def act() -> ResponseReturnValue:
        _confirm()
        second_factor.turn_off(viewer())
        return _done("The second factor is off.")

    return _try("second-factor", act)


@blueprint.post("/tokens")
def create_token() -> ResponseReturnValue:
    """Make a token, and show it this once."""

    def act() -> ResponseReturnValue:
        form = TokenForm()
        _check(form)
        _confirm(form)
        return _page("tokens", token=api_tokens.create(viewer(), form.name.data))

    return _try("tokens", act)


@blueprint.post("/tokens/<id:token_id>/revoke")
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End a token."""
    return _done(f"The token {api_tokens.revoke(viewer(), token_id)} is revoked.")


def _confirm(form: ConfirmForm | None = None) -> None:
    """Raises Invalid or NotAllowed unless the form holds the viewer's password: a session alone isn't enough."""
    form = form or ConfirmForm()
    _check(form)
    g.signing_in = viewer().email
    _confirm_password(viewer(), form.password.data)


def _check(form: ConfirmForm | CodeForm) -> None:
    if not form.validate():
        raise Invalid([], form.faults())


def _try(about: str, act: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """What `act` answers, or the page with the reason why not in the part that it is about."""
    try:
        return act()
    except NotFound:
        raise
    except HuntazeError as refusal:
        problems = refusal.problems if isinstance(refusal, Invalid) else []
        reason = " ".join(f"{problem.message}." for problem in problems) or refusal.message
        return _page(about, reason=reason), 403 if isinstance(refusal, NotAllowed) else 422


def _page(about: str | None = None, **more: Any) -> str:
    user = viewer()
    secret = second_factor.pending(user, _encryption_key())
    return render_template(
        "account/page.html",
        about=about,
        sessions=[(one, sessions.is_of(one, current_user.token)) for one in sessions.of(user)],
        second_factor=second_factor.stand(user),
        secret=secret,
        picture=segno.make(second_factor.address(user, secret)).svg_data_uri(border=3, scale=4) if secret else None,
        tokens=api_tokens.of(user),
        **more,
    )


def _done(words: str) -> ResponseReturnValue:
    flash(words)
    return redirect(url_for("account.page"), 303)


def _encryption_key() -> str:
    key: str = current_app.extensions["settings"].encryption_key
    return key
