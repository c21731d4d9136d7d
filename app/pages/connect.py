"""Accounts: connecting one, its key, its time zone, and the managers who work for it."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import invitations, owning
from app.accounts.connecting import Connector, Wanted
from app.accounts.connection import KeyUnreadable
from app.accounts.models import Role
from app.clock import now
from app.errors import Conflict, HuntazeError, Invalid, NotFound
from app.gateways.answers import Listed
from app.inbound import queries, sync
from app.pages.formats import zone_name
from app.pages.forms.connect import PERIODS, ConnectForm, DetailsForm, InviteForm, KeyForm, ReadForm, zones
from app.pages.guard import closed_to_all_but, viewer

blueprint = Blueprint("connect", __name__, url_prefix="/platforms/onlyfans/connect")
closed_to_all_but(blueprint, Role.CREATOR)
STALE = "Enter the key again"
NONE_LEFT = "This key lists no account that isn't connected already"


@blueprint.get("")
def page() -> ResponseReturnValue:
    """The viewer's accounts, and the way to another one."""
    return _page()


@blueprint.post("/choices")
def choose() -> ResponseReturnValue:
    """The accounts that a key lists, to choose from."""
    form = KeyForm()
    try:
        _check(form)
        choices = _connector().choices(viewer(), form.api_key.data)
        if not choices:
            raise Conflict(NONE_LEFT)
    except HuntazeError as refusal:
        return _page(reason=_words(refusal)), 422
    # The browser carries the key to the next step, and only we can read it there.
    return _page(choices=choices, sealed=_connector().keys.encrypt(form.api_key.data))


@blueprint.post("")
def add() -> ResponseReturnValue:
    """Connect an account."""
    form = ConnectForm()
    try:
        _check(form)
        api_key = _unsealed(form.sealed.data) if form.sealed.data else None
        account = _connector().connect(viewer(), Wanted(form.platform_id.data, None, api_key, form.time_zone.data))
    except HuntazeError as refusal:
        return _page(reason=_words(refusal)), 422
    sync.begin(account.id, now() - timedelta(days=int(form.days.data)), full=True)
    return _done(f"{account.display_name} is connected. Its chats, fans and payments are being brought in.")


@blueprint.post("/<id:account_id>")
def change(account_id: int) -> ResponseReturnValue:
    """Its name and time zone."""
    form = DetailsForm()

    def act() -> str:
        _check(form)
        account = owning.change(viewer(), account_id, form.display_name.data, form.time_zone.data)
        return f"{account.display_name} is saved."

    return _try(account_id, act)


@blueprint.post("/<id:account_id>/key")
def give_key(account_id: int) -> ResponseReturnValue:
    """Another key."""
    form = KeyForm()

    def act() -> str:
        _check(form)
        account = owning.give_key(viewer(), account_id, form.api_key.data, _connector())
        sync.catch_up(account.id)
        return f"{account.display_name} uses the key that ends in {account.api_key_last4} now."

    return _try(account_id, act)


@blueprint.post("/<id:account_id>/key/remove")
def remove_key(account_id: int) -> ResponseReturnValue:
    """Back to the deployment's key."""
    return _try(
        account_id,
        lambda: f"The key of {owning.remove_key(viewer(), account_id, _connector()).display_name} is forgotten.",
    )


@blueprint.post("/<id:account_id>/reconnect")
def reconnect(account_id: int) -> ResponseReturnValue:
    """It was authenticated again at the platform."""

    def act() -> str:
        account = owning.reconnect(viewer(), account_id, _connector())
        sync.catch_up(account.id)
        return f"{account.display_name} is connected again. What was missed meanwhile is being brought in."

    return _try(account_id, act)


@blueprint.post("/<id:account_id>/read")
def read(account_id: int) -> ResponseReturnValue:
    """Bring in what is at the platform, once more."""
    form = ReadForm()

    def act() -> str:
        _check(form)
        account = owning.own(viewer(), account_id)
        sync.begin(account.id, now() - timedelta(days=int(form.days.data)), full=True)
        return f"{account.display_name} is being brought in."

    return _try(account_id, act)


@blueprint.get("/<id:account_id>/progress")
def progress(account_id: int) -> ResponseReturnValue:
    """How far it is: what the page asks while it goes on."""
    account = owning.own(viewer(), account_id)
    return render_template(
        "accounts/_progress.html", account=account, run=queries.progress([account.id]).get(account.id)
    )


@blueprint.post("/<id:account_id>/managers")
def invite(account_id: int) -> ResponseReturnValue:
    """Let a manager in."""
    form = InviteForm()

    def act() -> str:
        _check(form)
        return f"{owning.invite(viewer(), account_id, form.email.data).name} works for this account now."

    return _try(account_id, act)


@blueprint.post("/<id:account_id>/invitations")
def make_invitation(account_id: int) -> ResponseReturnValue:
    """A link for somebody who isn't here yet; it is shown this once."""
    try:
        token = invitations.invite(viewer(), account_id)
    except Conflict as refusal:
        return _page(reason=refusal.message, about=account_id), 422
    path = url_for("invitations.page", token=token)
    public: str | None = current_app.extensions["settings"].public_url
    return _page(about=account_id, link=(public or request.url_root).rstrip("/") + path)


@blueprint.post("/<id:account_id>/invitations/<id:invitation_id>/withdraw")
def withdraw_invitation(account_id: int, invitation_id: int) -> ResponseReturnValue:
    """Its link leads nowhere any more."""

    def act() -> str:
        invitations.withdraw(viewer(), account_id, invitation_id)
        return "The invitation is withdrawn."

    return _try(account_id, act)


@blueprint.post("/<id:account_id>/managers/<id:manager_id>/remove")
def dismiss(account_id: int, manager_id: int) -> ResponseReturnValue:
    """Let them out."""

    def act() -> str:
        owning.dismiss(viewer(), account_id, manager_id)
        return "They no longer work for this account."

    return _try(account_id, act)


def _try(account_id: int, act: Callable[[], str]) -> ResponseReturnValue:
    """Back to the page with what was done, or with the reason why not, at the account."""
    try:
        return _done(act())
    except NotFound:
        raise
    except HuntazeError as refusal:
        return _page(reason=_words(refusal), about=account_id), 422


def _check(form: KeyForm | ConnectForm | DetailsForm | InviteForm | ReadForm) -> None:
    if not form.validate():
        raise Invalid([], form.faults())


def _words(refusal: HuntazeError) -> str:
    problems = refusal.problems if isinstance(refusal, Invalid) else []
    return " ".join(f"{problem.message}." for problem in problems) or refusal.message


def _unsealed(sealed: str) -> str:
    try:
        return _connector().keys.decrypt(sealed)
    except KeyUnreadable:
        raise Conflict(STALE) from None


def _page(
    choices: list[Listed] | None = None,
    sealed: str = "",
    reason: str | None = None,
    about: int | None = None,
    link: str | None = None,
) -> str:
    owned = owning.owned(viewer())
    return render_template(
        "accounts/connect.html",
        owned=owned,
        runs=queries.progress([one.account.id for one in owned]),
        periods=PERIODS,
        choices=choices,
        sealed=sealed,
        reason=reason,
        about=about,
        link=link,
        invited=invitations.open_of([one.account.id for one in owned]),
        zones=zones(),
        my_zone=zone_name(),
        now=now(),
    )


def _done(words: str) -> ResponseReturnValue:
    flash(words)
    return redirect(url_for("connect.page"), 303)


def _connector() -> Connector:
    """Made when the first account is connected: most processes never ask the platform anything."""
    found: Connector | None = current_app.extensions.get("connector")
    if found is None:
        found = current_app.extensions["connector"] = Connector.build(current_app.extensions["settings"])
    return found
