"""Fans from a file: taken in, looked at, begun, watched; and what couldn't be taken, to mend."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Account, Role
from app.analytics.tables import Cell, written
from app.errors import Invalid, NotFound
from app.imports import columns, queries, reader, service
from app.imports.cells import Rejected, Row
from app.imports.columns import LABELS
from app.imports.models import Import, Status
from app.imports.queries import Fault
from app.imports.reader import DELIMITERS, Layout, Wishes
from app.imports.text import ENCODINGS, LARGEST_FILE
from app.imports.values import DateOrder
from app.pages.addresses import read_id
from app.pages.fans import BYTE_ORDER_MARK
from app.pages.guard import account_shown, closed_to_all_but, viewer
from app.pages.htmx import wants_fragment

LISTED = 200
ORDERS: dict[str, DateOrder] = {"mdy": "mdy", "dmy": "dmy"}
blueprint = Blueprint("imports", __name__, url_prefix="/platforms/onlyfans")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file as they would be understood; `ambiguous`: its dates may be two different days."""

    layout: Layout
    rows: Sequence[tuple[list[str], Row | Rejected]]
    ambiguous: bool


@blueprint.get("/import")
def new() -> ResponseReturnValue:
    """Choose a file; below it what was imported before."""
    account = account_shown()
    return render_template("fans/no_account.html") if account is None else _new(account)


@blueprint.post("/import")
def upload() -> ResponseReturnValue:
    """Take a file in and look at it; one that can't be read comes back with the reason."""
    account = accounts.account(viewer(), read_id(request.form.get("account")) or 0)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _new(account, "Choose a file first."), 422
    with file.stream:
        content = file.stream.read(LARGEST_FILE + 1)
    try:
        draft = service.upload(viewer(), account.id, file.filename, content)
    except Invalid as refusal:
        return _new(account, refusal.problems[0].message), 422
    return redirect(url_for("imports.show", import_id=draft.id), 303)


@blueprint.get("/imports/<id:import_id>")
def show(import_id: int) -> ResponseReturnValue:
    """A draft to look through, how far an import is, or what became of it."""
    found = queries.find(viewer(), import_id)
    return _draft(found) if found.status == Status.DRAFT else _result(found)


@blueprint.post("/imports/<id:import_id>/preview")
def preview(import_id: int) -> ResponseReturnValue:
    """The first rows as they are understood with the columns that are chosen now."""
    found = _still_draft(import_id)
    return render_template("imports/_preview.html", found=found, preview=_preview(found, _chosen()), labels=LABELS)


@blueprint.post("/imports/<id:import_id>/start")
def start(import_id: int) -> ResponseReturnValue:
    """Begin; what has to be said first comes back as a question."""
    found = _still_draft(import_id)
    wishes = _chosen()
    try:
        service.start(viewer(), import_id, wishes)
    except Invalid as refusal:
        return _draft(found, wishes, refusal.problems[0].message), 422
    return redirect(url_for("imports.show", import_id=import_id), 303)


@blueprint.get("/imports/<id:import_id>/live")
def live(import_id: int) -> ResponseReturnValue:
    """What has changed since the page was drawn or polled; 204 when nothing has."""
    found = queries.find(viewer(), import_id)
    if _version(found) == request.args.get("v"):
        return "", 204
    return _result(found)


@blueprint.get("/imports/<id:import_id>/rejected.csv")
def rejected(import_id: int) -> ResponseReturnValue:
    """The rows that weren't taken, each with what is wrong: mend them and import the file again."""
    found = queries.find(viewer(), import_id)
    name = f"rejected-{found.id}.csv"
    return Response(
        stream_with_context(_rejected(found)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@blueprint.app_template_filter("utc")
def utc(at: datetime) -> str:
    """`3 Apr 2026`, and the time of day where there is one: as a file says it."""
    return f"{at.day} {at:%b %Y}" + (f", {at:%H:%M}" if at.hour or at.minute else "")


def _new(account: Account, reason: str | None = None) -> str:
    before = read_id(request.args.get("before"))
    found = queries.history(viewer(), before, queries.PAGE + 1)
    return render_template(
        "imports/new.html",
        account=account,
        accounts=accounts.visible(viewer()),
        history=found[: queries.PAGE],
        older=found[queries.PAGE - 1].id if len(found) > queries.PAGE else None,
        reason=reason,
        largest=LARGEST_FILE,
    )


def _still_draft(import_id: int) -> Import:
    found = queries.find(viewer(), import_id)
    if found.status != Status.DRAFT:
        raise NotFound("This import has begun already: open it from the list of imports.")
    return found


def _chosen() -> Wishes:
    """The columns and the order of dates as the form says them."""
    named = {name: request.form.get(name, "") for name in LABELS}
    indexes = {name: int(text) for name, text in named.items() if text.isascii() and text.isdigit() and len(text) < 4}
    return Wishes(columns=indexes, date_order=ORDERS.get(request.form.get("dateOrder", "")))


def _draft(found: Import, wishes: Wishes | None = None, reason: str | None = None) -> str:
    return render_template(
        "imports/draft.html",
        found=found,
        account=accounts.account(viewer(), found.account_id),
        preview=_preview(found, wishes),
        labels=LABELS,
        encoding=ENCODINGS[found.layout["encoding"]],
        delimiter=DELIMITERS[found.layout["delimiter"]],
        reason=reason,
    )


def _preview(found: Import, wishes: Wishes | None) -> Preview:
    layout = Layout(**found.layout)
    if wishes is not None and wishes.columns is not None:
        known = {name: index for name, index in wishes.columns.items() if index < len(layout.header)}
        layout = replace(layout, columns=known, date_order=wishes.date_order or layout.date_order)
    ambiguous = columns.LAST_SEEN in layout.columns and found.preview["dates"] == "ambiguous"
    read = layout
    if ambiguous and layout.date_order is None:
        # Until somebody says how dates are meant, the rows are judged without them.
        read = replace(layout, columns={k: v for k, v in layout.columns.items() if k != columns.LAST_SEEN})
    sample = [(cells, reader.understand((line, cells), read)) for line, cells in found.preview["sample"]]
    return Preview(layout, sample, ambiguous)


def _result(found: Import) -> str:
    return render_template(
        "imports/_progress.html" if wants_fragment() else "imports/show.html",
        found=found,
        account=accounts.account(viewer(), found.account_id),
        faults=queries.faults(found.id, LISTED) if found.faults else [],
        labels=LABELS,
        version=_version(found),
    )


def _version(found: Import) -> str:
    return f"{found.status}-{found.rows_done}"


def _rejected(found: Import) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")

    def written_row(cells: Sequence[str]) -> str:
        writer.writerow([written(Cell.TEXT, cell) for cell in cells])
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield BYTE_ORDER_MARK + written_row(["Line", "Problem", *found.layout["header"]])
    for row in queries.all_rejected(found.id):
        problems = "; ".join(Fault(row.line, *fault).message for fault in row.faults)
        yield written_row([str(row.line), problems, *row.cells])
