"""Fans: the table of an account's, and one of them."""

from datetime import UTC
from itertools import chain
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Account, Role
from app.accounts.service import exported
from app.analytics import fan_months, tables
from app.analytics.tables import Cell, Column, Table
from app.campaigns import received, segments
from app.clock import now
from app.conversations import queries as conversations
from app.conversations.service import open_with as open_conversation
from app.earnings import spend
from app.errors import Conflict, HuntazeError
from app.fans import lists, queries, service
from app.fans.models import Fan
from app.messages import erasure
from app.pages import roster
from app.pages.addresses import read_id
from app.pages.forms.fans import FanDetailsForm, TagForm
from app.pages.guard import account_shown, closed_to_all_but, viewer
from app.pages.htmx import target, wants_fragment

# Without it Excel takes UTF-8 for something else.
BYTE_ORDER_MARK = "\ufeff"
MONTHS = 12
CAMPAIGNS = 10
COLUMNS = (
    Column("Username"),
    Column("Display Name"),
    Column("Email"),
    Column("Subscription Tier"),
    Column("Total Spent", Cell.MONEY),
    Column("Last Seen", Cell.TIME),
    Column("Status"),
    Column("Tags"),
    Column("Notes"),
    Column("Platform ID"),
    Column("Here Since", Cell.TIME),
)
blueprint = Blueprint("fans", __name__, url_prefix="/platforms/onlyfans")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


@blueprint.get("/fans")
def overview() -> ResponseReturnValue:
    """The table, or for a search or another page of it that part alone."""
    account = account_shown()
    if account is None:
        return render_template("fans/no_account.html")
    found = roster.roster(viewer(), account)
    if wants_fragment() and target() == "roster":
        shown = {name: request.args[name] for name in ("after", "before") if name in request.args}
        page = url_for("fans.overview", **(found.query() | shown))
        return render_template("fans/_roster.html", roster=found), {"HX-Push-Url": page}
    return render_template(
        "fans/overview.html",
        roster=found,
        accounts=accounts.visible(viewer()),
        tags=segments.tags(account.id),
        tiers=segments.tiers(account.id),
        seen=roster.SEEN,
    )


@blueprint.get("/fans.csv")
def export() -> ResponseReturnValue:
    """All fans that the table's filters ask for, as a file."""
    account = accounts.account(viewer(), read_id(request.args.get("account")))
    exported(viewer(), [account.id], "fans")
    found = lists.every(viewer(), account.id, roster.wanted())
    name = f"fans-{now():%Y-%m-%d}.csv"
    pieces = chain([BYTE_ORDER_MARK], tables.file(Table(COLUMNS, map(_cells, found)), ["UTC"]))
    return Response(
        stream_with_context(pieces),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@blueprint.post("/fans/tag")
def tag() -> ResponseReturnValue:
    """Put a tag on those who are chosen, or take it off."""
    account = accounts.account(viewer(), read_id(request.form.get("account")) or 0)
    back = url_for("fans.overview", account=account.id, **roster.address(roster.wanted()))
    form = TagForm()
    if not form.validate():
        flash(" ".join(str(one) for found in form.errors.values() for one in found), "bad")
        return redirect(back, 303)
    put_on = request.form.get("act") != "remove"
    chosen = _chosen(account, form)
    changed = service.tag(viewer(), account.id, chosen, form.word.data, put_on)
    verb = ("has it now" if changed == 1 else "have it now") if put_on else "lost it"
    flash(f"“{form.word.data}”: {changed:,} of {len(chosen):,} {verb}." if chosen else "Choose some fans first.")
    return redirect(back, 303)


@blueprint.get("/fans/<id:fan_id>")
def show(fan_id: int) -> ResponseReturnValue:
    """One fan, or their row of the table alone."""
    fan = queries.fan(viewer(), fan_id).fan
    return render_template("fans/_row.html", fan=fan) if wants_fragment() else _page(fan)


@blueprint.get("/fans/<id:fan_id>/edit")
def edit(fan_id: int) -> ResponseReturnValue:
    """Their row of the table as a form; without htmx the page that has one."""
    fan = queries.fan(viewer(), fan_id).fan
    if not wants_fragment():
        return redirect(url_for("fans.show", fan_id=fan.id, _anchor="details"))
    return render_template("fans/_row_form.html", fan=fan, form=_filled(fan), reason=None)


@blueprint.post("/fans/<id:fan_id>")
def change(fan_id: int) -> ResponseReturnValue:
    """Write down what has changed; what is refused comes back as it was written, with the reason."""
    fan = queries.fan(viewer(), fan_id).fan
    form = FanDetailsForm()
    try:
        if not form.validate():
            raise Conflict(form.faults())
        service.change(viewer(), fan.id, form.details())
    except HuntazeError as refusal:
        return _refused(fan, form, refusal.message)
    if wants_fragment():
        return render_template("fans/_row.html", fan=queries.fan(viewer(), fan_id).fan)
    flash("Saved.")
    return redirect(url_for("fans.show", fan_id=fan_id), 303)


@blueprint.post("/fans/<id:fan_id>/write")
def write(fan_id: int) -> ResponseReturnValue:
    """To the conversation with them, which begins now if there was none."""
    conversation = open_conversation(queries.fan(viewer(), fan_id).fan)
    return redirect(url_for("conversations.inbox", conversation_id=conversation.id), 303)


@blueprint.post("/fans/<id:fan_id>/remove")
def remove(fan_id: int) -> ResponseReturnValue:
    """Take them out: what was written and paid stays."""
    fan = queries.fan(viewer(), fan_id).fan
    name = fan.name
    try:
        erasure.remove_fan(viewer(), fan_id)
    except Conflict as refusal:
        flash(refusal.message, "bad")
        return redirect(url_for("fans.show", fan_id=fan_id), 303)
    flash(f"{name} is taken out. The conversation and what they paid stay.")
    return redirect(url_for("fans.overview", account=fan.account_id), 303)


def _chosen(account: Account, form: TagForm) -> list[int]:
    if form.everybody.data:
        return lists.ids(viewer(), account.id, roster.wanted(), lists.COUNTED)
    found = (read_id(text) for text in form.fan.data[: lists.COUNTED])
    return [fan_id for fan_id in found if fan_id is not None]


def _filled(fan: Fan) -> FanDetailsForm:
    said = {name: getattr(fan, name) for name in ("name", "handle", "email", "tier", "status", "notes")}
    return FanDetailsForm(formdata=None, data=said | {"tags": ", ".join(fan.tags)})


def _refused(fan: Fan, form: FanDetailsForm, reason: str) -> ResponseReturnValue:
    if wants_fragment():
        return render_template("fans/_row_form.html", fan=fan, form=form, reason=reason), 422
    return _page(fan, form, reason), 422


def _page(fan: Fan, form: FanDetailsForm | None = None, reason: str | None = None) -> str:
    account = accounts.account(viewer(), fan.account_id)
    months = fan_months.by_month(account, fan.id, MONTHS)
    return render_template(
        "fans/show.html",
        fan=fan,
        account=account,
        form=form or _filled(fan),
        reason=reason,
        spend=spend.of_fan(viewer(), fan.id),
        months=months,
        most=max(month.gross_cents for month in months),
        conversation_id=conversations.of_fan(viewer(), fan.id),
        campaigns=received.received(viewer(), fan.id, CAMPAIGNS),
    )


def _cells(fan: Fan) -> tuple[Any, ...]:
    seen, since = (at and at.astimezone(UTC).isoformat(timespec="seconds") for at in (fan.last_seen_at, fan.created_at))
    notes = fan.notes.replace("\n", " ")
    return (
        fan.handle,
        fan.name,
        fan.email,
        fan.tier,
        fan.value_cents,
        seen,
        fan.status,
        ", ".join(fan.tags),
        notes,
        fan.platform_id,
        since,
    )
