"""Analytics: what a manager or creator looks at every morning, and the same numbers as files."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.accounts.models import Role, User
from app.accounts.service import exported
from app.analytics import audience, cards, queries, revenue, tables, zones
from app.analytics.tables import Table
from app.earnings import queries as earnings
from app.earnings.queries import Line
from app.errors import NotFound
from app.pages import charts, formats, numbers, reports
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import target, wants_fragment
from app.pages.reports import Choice

blueprint = Blueprint("analytics", __name__, url_prefix="/platforms/onlyfans/analytics")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)
for words in (numbers.cell, numbers.change, numbers.judged, numbers.own_zones, numbers.span):
    blueprint.add_app_template_filter(words)


@blueprint.get("")
def overview() -> ResponseReturnValue:
    """The page, or the part of it that a changed choice changes."""
    choice = reports.choice(viewer())
    if not choice.scope.accounts:
        return render_template("analytics/no_account.html")
    received = revenue.received(choice.scope, choice.days, choice.interval)
    active_fans, *later = charts.later(choice)
    parts = _filters(choice) | {"revenue": charts.over_time(choice, received), "active_fans": active_fans}
    if wants_fragment() and target() == "over-time":
        return render_template("analytics/_steps.html", oob=True, **parts), _address(choice)
    summary = queries.summary(choice.scope, choice.days, received)
    other_kind = "averageGross" if choice.net else "averageNet"
    html = render_template(
        "analytics/_report.html" if wants_fragment() else "analytics/overview.html",
        cards=[card for card in cards.cards(summary) if card.name != other_kind],
        types=charts.types(choice, received),
        later=later,
        **parts,
    )
    return html, _address(choice)


@blueprint.get("/charts/<name>")
def chart(name: str) -> ResponseReturnValue:
    """A chart that the page asks for when it comes into view; without scripts a page of its own."""
    choice = reports.choice(viewer())
    found = charts.chart(choice, name)
    if found is None:
        raise NotFound
    template = "analytics/_chart.html" if wants_fragment() else "analytics/chart.html"
    return render_template(template, one=found, choice=choice, alone=not wants_fragment())


@blueprint.get("/<name>.csv")
def file(name: str) -> ResponseReturnValue:
    """One of the page's tables, or all transactions of its days, as they were chosen."""
    choice = reports.choice(viewer())
    if name == "transactions":
        return _answer(choice, name, _transactions(viewer(), choice))
    found = charts.table(choice, name)
    if found is None:
        raise NotFound
    return _answer(choice, name, found)


def _address(choice: Choice) -> dict[str, str]:
    """What stands in the address bar afterwards, without what is usual."""
    return {"HX-Push-Url": url_for("analytics.overview", **choice.query())} if wants_fragment() else {}


def _answer(choice: Choice, name: str, table: Table) -> Response:
    days = choice.days
    exported(viewer(), choice.scope.ids, name.replace("-", " "))
    return Response(
        stream_with_context(tables.file(table, choice.scope.zone_names)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}-{days.first}-{days.last}.csv"'},
    )


def _transactions(reader: User, choice: Choice) -> Table:
    return tables.transactions(_lines(reader, choice))


def _lines(reader: User, choice: Choice) -> Iterator[tuple[str, ZoneInfo, Line]]:
    names = choice.scope.names
    for span in choice.scope.spans(choice.days):
        for account_id in span.account_ids:
            start, end = zones.moment_of(span.start), zones.moment_of(span.end)
            for line in earnings.lines(reader, account_id, start, end, choice.scope.tag):
                yield names[account_id], span.zone, line


def _filters(choice: Choice) -> dict[str, Any]:
    """What the filters show beside the choice itself."""
    own = {zone for account in choice.scope.accounts for zone in [account.time_zone]}
    offered = {getattr(formats.zone(), "key", "UTC"), "UTC", *own, *choice.scope.zone_names}
    return {
        "choice": choice,
        "ranges": reports.RANGES,
        "accounts": queries.scope(viewer()).accounts if choice.chosen_accounts else choice.scope.accounts,
        "tags": audience.tags(choice.scope),
        "zones": sorted(offered),
        "as_of": queries.as_of(choice.scope),
    }
