"""How sending goes: for people on their own accounts, for operators in the whole deployment; and the emergency stop."""

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts import service
from app.accounts.models import Account, Role
from app.analytics.tables import Cell
from app.clock import now as clock_now
from app.delivery import dead_letters, heartbeat, stop
from app.delivery.dead_letters import Kind
from app.errors import HuntazeError, NotAllowed, Unavailable
from app.gateways import alarms
from app.messages import failed
from app.messages.failed import Wanted
from app.messages.reasons import REASONS
from app.monitoring import health, lanes, queries
from app.monitoring.lanes import Choice
from app.pages import numbers, traffic
from app.pages.addresses import read_id
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import target, wants_fragment
from app.pages.parts import desk

WORKERS = 20
LETTERS = 50
SEARCH_LENGTH = 100
FURTHEST = 10_000
blueprint = Blueprint("operations", __name__, url_prefix="/operations")
closed_to_all_but(blueprint, *Role)


@blueprint.app_template_filter()
def left(at: datetime) -> str:
    """How long it is until then: `23 s`, `4 min`."""
    return numbers.cell(max(0.0, (at - clock_now()).total_seconds()), Cell.SECONDS)


@blueprint.app_template_filter()
def since(at: datetime) -> str:
    """How long it has been since: `3 s`, `1 h 20 min`."""
    return numbers.cell(max(0.0, (clock_now() - at).total_seconds()), Cell.SECONDS)


@blueprint.app_template_filter()
def seconds(length: float) -> str:
    """A length of time in seconds, for people."""
    return numbers.cell(length, Cell.SECONDS)


@blueprint.get("")
def overview() -> ResponseReturnValue:
    """The page, or for another choice of accounts or hours that part alone."""
    if wants_fragment() and target() == "traffic":
        return render_template("operations/_traffic.html", **_traffic())
    if wants_fragment():
        return render_template("operations/_now.html", **_now())
    return render_template("operations/overview.html", **_now(), **_traffic())


@blueprint.get("/aws")
def aws() -> ResponseReturnValue:
    """Alarms and dead letters: what only AWS knows, so that the page needn't wait for it."""
    _operators_only()
    return render_template("operations/_aws.html", **_alarms(), **_letters())


@blueprint.get("/stop")
def ask_stop() -> ResponseReturnValue:
    """The question before anything stops."""
    return render_template("operations/stop.html", account=_account_to_stop())


@blueprint.post("/stop")
def set_stop() -> ResponseReturnValue:
    """The emergency stop, of everybody by an operator, of an account by its people."""
    account = _account_to_stop()
    if account is None:
        stop.set_stop(viewer().id)
        flash("Sending is stopped for everybody. Messages are accepted and kept.", "bad")
    else:
        service.stop_account(viewer(), account.id)
        flash(f"Sending is stopped for {account.display_name}. Messages are accepted and kept.", "bad")
    return redirect(url_for("operations.overview"), 303)


@blueprint.post("/resume")
def resume() -> ResponseReturnValue:
    """Sending goes on."""
    account = _account_to_stop()
    if account is None:
        stop.clear_stop(viewer().id)
        flash("Sending goes on. Accounts that were stopped by their own people stay stopped.")
    else:
        service.resume_account(viewer(), account.id)
        flash(f"Sending goes on for {account.display_name}.")
    return redirect(url_for("operations.overview"), 303)


@blueprint.get("/redrive")
def ask_redrive() -> ResponseReturnValue:
    """The question before dead letters get another chance."""
    _operators_only()
    return render_template("operations/redrive.html", letter=request.args.get("letter"))


@blueprint.post("/redrive")
def redrive() -> ResponseReturnValue:
    """Give one dead letter, or all of them, another chance."""
    _operators_only()
    letter = request.form.get("letter")
    try:
        said = _redrive(letter) if letter else _redrive_all()
    except HuntazeError as refusal:
        flash(refusal.message, "bad")
    else:
        flash(said)
    return redirect(url_for("operations.overview", _anchor="aws"), 303)


def _redrive(letter: str) -> str:
    kind = dead_letters.redrive(desk(), viewer(), letter)
    return "Its message is in line again." if kind is Kind.FAILED else "The ticket is on the queue again."


def _redrive_all() -> str:
    done = dead_letters.redrive_all(desk(), viewer())
    words = f"{done.retried:,} messages are in line again, {done.returned:,} tickets are on the queue again"
    words += f", {done.dropped:,} letters that said nothing any more are dropped" if done.dropped else ""
    return words + (f", {done.refused:,} stay." if done.refused else ".")


def _alarms() -> dict[str, Any]:
    try:
        return {"alarms": alarms.states(current_app.extensions["settings"].aws_region)}
    except Unavailable as away:
        return {"alarms": None, "alarms_away": away.message}


def _letters() -> dict[str, Any]:
    """The dead letters; why a message failed is said by its kind, since the platform's words may quote its text."""
    try:
        found = dead_letters.look(desk(), viewer(), LETTERS)
    except Unavailable as away:
        return {"letters": None, "letters_away": away.message}
    kinds = failed.kinds_of([letter.row.id for letter in found if letter.row is not None])
    reasons = {
        letter.id: REASONS[kinds[letter.row.id]].title if letter.row is not None else letter.reason for letter in found
    }
    return {"letters": found, "reasons": reasons, "most": LETTERS}


def _operators_only() -> None:
    if viewer().role != Role.OPERATOR:
        raise NotAllowed("This is for whoever runs the deployment.")


def _account_to_stop() -> Account | None:
    """The account that is named, of those whose people the viewer is one of; None: everybody, for operators only."""
    account_id = read_id(request.values.get("account"))
    if account_id is not None:
        return accounts.account(viewer(), account_id)
    _operators_only()
    return None


def _now() -> dict[str, Any]:
    """What changes by the second."""
    operates = viewer().role == Role.OPERATOR
    choice = request.args.get("show", "")
    search = request.args.get("q", "").replace("\x00", "").strip()[:SEARCH_LENGTH]
    offset = min(read_id(request.args.get("offset")) or 0, FURTHEST)
    chosen = Choice(choice) if choice in Choice.__members__.values() else Choice.ALL
    return {
        "health": health.check(desk()),
        "stopped": stop.since(),
        "backlog": queries.backlog(viewer()),
        "counted": queries.COUNTED,
        "page": lanes.page(viewer(), desk(), chosen, search, offset),
        "size": lanes.PAGE,
        "lane_counted": lanes.COUNTED,
        "choice": chosen,
        "search": search,
        "offset": offset,
        "at": clock_now(),
        "operates": operates,
        "workers": heartbeat.recent("delivery", WORKERS) if operates else [],
        "failed_most": failed.COUNTED,
        "failed_many": 0 if operates else failed.count(viewer(), Wanted()),
    }


def _traffic() -> dict[str, Any]:
    """The charts."""
    hours = read_id(request.args.get("hours"))
    hours = hours if hours in queries.STEPS else traffic.USUAL_HOURS
    return {"hours": hours, "ranges": sorted(queries.STEPS), "charts": traffic.charts(viewer(), hours)}
