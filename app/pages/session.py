"""Signing in and out, and who is signed in."""

import hashlib

from flask import Blueprint, Flask, Request, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user, login_user

from app.accounts import queries, second_factor, sessions
from app.accounts import service as accounts
from app.accounts.models import Role, User
from app.clock import now
from app.errors import NotSignedIn
from app.extensions import login_manager
from app.messages.rules import UNPRINTABLE
from app.pages import limits
from app.pages.addresses import local_path
from app.pages.formats import device
from app.pages.forms.session import CodeForm, SignInForm
from app.pages.htmx import is_poll, shown_path, wants_fragment

blueprint = Blueprint("session", __name__)
HALFWAY = "halfway"
HALFWAY_SECONDS = 600
_check_code = limits.per_address(limits.per_email(limits.codes(second_factor.check)))


class SignedIn(UserMixin):  # type: ignore[misc]
    """A user and the token of the session that they are here with."""

    def __init__(self, user: User, token: str) -> None:
        self.user = user
        self.token = token

    def get_id(self) -> str:
        """What the cookie holds: the session's token, never the user's id."""
        return self.token


class PageCookies(SecureCookieSessionInterface):
    """The cookie is for pages: the JSON door has tokens, static files are everybody's; neither pays for it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the browser's cookie holds; None, which can't be written to, where it isn't looked at."""
        return None if request.path.startswith(("/api/", "/static/")) else super().open_session(app, request)


def init_app(app: Flask) -> None:
    """Bind Flask-Login to the sessions of the database."""
    app.session_interface = PageCookies()
    app.config.update(
        PERMANENT_SESSION_LIFETIME=sessions.ABSOLUTE,
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_PROTECTION=None,
    )
    login_manager.init_app(app)
    login_manager.user_loader(_signed_in)
    login_manager.unauthorized_handler(_sign_in_first)
    app.register_blueprint(blueprint)


def token() -> str:
    """What the browser's cookie says that its session is, before anybody has looked whether it lives."""
    found: str = session.get("_user_id", "")
    return found


def _signed_in(token: str) -> SignedIn | None:
    user = sessions.user_of(token, renew=not is_poll())
    return SignedIn(user, token) if user else None


def _sign_in_first() -> ResponseReturnValue:
    if wants_fragment():
        return render_template("session/_signed_out.html", next=local_path(shown_path())), 401
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    wanted = local_path(here)
    return redirect(url_for("session.login", next=None if wanted == "/" else wanted))


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Lead to where the role works."""
    if not current_user.is_authenticated:
        return redirect(url_for("session.login"))
    operates = current_user.user.role == Role.OPERATOR
    return redirect(url_for("operations.overview" if operates else "conversations.inbox"))


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """The sign-in page."""
    if current_user.is_authenticated:
        return redirect(local_path(request.args.get("next")))
    return render_template("session/login.html", form=SignInForm())


@blueprint.post("/login")
@limits.per_address
@limits.per_email
def sign_in() -> ResponseReturnValue:
    """Sign in with e-mail address and password; with a second factor this is the first of two steps."""
    form = SignInForm()
    try:
        user = _authenticate(form)
    except NotSignedIn as refusal:
        return render_template("session/login.html", form=form, refusal=refusal.message), 401
    wanted = local_path(request.args.get("next"))
    if second_factor.is_on(user):
        session[HALFWAY] = [user.id, _fingerprint(user), now().timestamp()]
        return redirect(url_for("session.code", next=wanted))
    enter(user)
    return redirect(wanted)


@blueprint.get("/login/code")
def code() -> ResponseReturnValue:
    """The second step of those who have a second factor."""
    if _halfway() is None:
        return redirect(url_for("session.login"))
    return render_template("session/code.html", form=CodeForm())


@blueprint.post("/login/code")
def give_code() -> ResponseReturnValue:
    """A code, after the password was right."""
    form, user = CodeForm(), _halfway()
    if user is None:
        flash("That took too long: sign in again.")
        return redirect(url_for("session.login"))
    g.signing_in = user.email
    try:
        _check_code(user, form.code.data or "", current_app.extensions["settings"].encryption_key)
    except NotSignedIn as refusal:
        return render_template("session/code.html", form=form, refusal=refusal.message), 401
    enter(user)
    return redirect(local_path(request.args.get("next")))


def enter(user: User) -> None:
    """Sign the user in with a new session, whatever the browser had before."""
    if current_user.is_authenticated:
        sessions.end(current_user.token)
    session.clear()
    session.permanent = True
    agent = request.headers.get("User-Agent", "")
    login_user(SignedIn(user, sessions.start(user, agent)))
    accounts.audit("session.started", user=user, device=device(agent))


def _halfway() -> User | None:
    """Whose password was right in this browser a moment ago, and is still theirs."""
    user_id, fingerprint, since = session.get(HALFWAY, (0, "", 0.0))
    user = queries.user(user_id) if now().timestamp() - since < HALFWAY_SECONDS else None
    return user if user is not None and _fingerprint(user) == fingerprint else None


def _fingerprint(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]


def _authenticate(form: SignInForm) -> User:
    email, password = form.email.data or "", form.password.data or ""
    if not form.validate() or UNPRINTABLE.search(email):
        raise NotSignedIn(accounts.BAD_CREDENTIALS)
    return accounts.authenticate(email, password)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End this browser's session."""
    if current_user.is_authenticated:
        sessions.end(current_user.token)
        accounts.audit("session.ended", user=current_user.user)
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("session.login"))
