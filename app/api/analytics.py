"""Figures for managers and creators, as JSON and as CSV."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, g

from app.accounts.models import User
from app.accounts.service import exported
from app.analytics import audience, cards, queries, revenue, tables
from app.analytics.buckets import Interval
from app.analytics.revenue import Received
from app.analytics.scope import Period, Scope
from app.analytics.tables import Table
from app.api.contract import contract
from app.api.messages import NO_ACCOUNT
from app.api.schemas import analytics as schemas
from app.api.schemas.analytics import (
    PointItem,
    ReportQuery,
    RevenueAnswer,
    RevenueQuery,
    Sum,
    SummaryAnswer,
    TopFanItem,
    TopFans,
    TopFansQuery,
    TypeItem,
)
from app.api.schemas.files import CsvFile
from app.earnings.models import Kind

blueprint = Blueprint("api_analytics", __name__, url_prefix="/api/analytics")
REFUSALS = {404: NO_ACCOUNT}


@blueprint.get("/summary")
@contract("Key figures", answers={200: SummaryAnswer}, refusals=REFUSALS)
def analytics_summary(viewer: User, query: ReportQuery) -> SummaryAnswer:
    """Fans, revenue and messages of a period, beside those of the equally long period before it."""
    wanted, period = _asked(viewer, query)
    return schemas.summary_of(queries.summary(wanted, period), _head(wanted, period))


@blueprint.get("/summary.csv")
@contract("Key figures as CSV", answers={200: CsvFile}, refusals=REFUSALS)
def analytics_summary_csv(viewer: User, query: ReportQuery) -> Response:
    """The same as a table, each figure with how it is counted."""
    wanted, period = _asked(viewer, query)
    found = cards.cards(queries.summary(wanted, period))
    return _file(cards.table(found, wanted.zone_names), wanted, period, "summary")


@blueprint.get("/top-fans")
@contract("Fans who paid the most", answers={200: TopFans}, refusals=REFUSALS)
def analytics_top_fans(viewer: User, query: TopFansQuery) -> TopFans:
    """By what they paid in the period."""
    wanted, period = _asked(viewer, query)
    found = audience.top(wanted, period, query.limit, query.by == "net")
    return TopFans(**_head(wanted, period), fans=[TopFanItem.of_fan(fan) for fan in found])


@blueprint.get("/top-fans.csv")
@contract("Fans who paid the most, as CSV", answers={200: CsvFile}, refusals=REFUSALS)
def analytics_top_fans_csv(viewer: User, query: TopFansQuery) -> Response:
    """The same as a table."""
    wanted, period = _asked(viewer, query)
    found = audience.top(wanted, period, query.limit, query.by == "net")
    return _file(tables.top_fans(found, wanted.names), wanted, period, "top-fans")


@blueprint.get("/revenue")
@contract("Revenue over time", answers={200: RevenueAnswer}, refusals=REFUSALS)
def analytics_revenue(viewer: User, query: RevenueQuery) -> RevenueAnswer:
    """Step by step, beside the equally long period before, and by what was paid for."""
    wanted, period = _asked(viewer, query)
    received = revenue.received(wanted, period, Interval(query.interval))
    return RevenueAnswer(
        **_head(wanted, period),
        interval=Interval(query.interval),
        total=Sum.of(received.total),
        points=[PointItem.of_point(point) for point in received.points],
        types=list(_types(received)),
    )


@blueprint.get("/revenue.csv")
@contract("Revenue over time as CSV", answers={200: CsvFile}, refusals=REFUSALS)
def analytics_revenue_csv(viewer: User, query: RevenueQuery) -> Response:
    """The same as a table."""
    wanted, period = _asked(viewer, query)
    points = revenue.received(wanted, period, Interval(query.interval)).points
    return _file(tables.trend(points), wanted, period, f"revenue-by-{query.interval}")


def _asked(viewer: User, query: ReportQuery) -> tuple[Scope, Period]:
    wanted = queries.scope(viewer, query.account_ids, query.zone)
    return wanted, queries.period(wanted, query.first, query.last)


def _head(wanted: Scope, period: Period) -> dict[str, Any]:
    return schemas.head(wanted, period, queries.as_of(wanted))


def _types(received: Received) -> Iterator[TypeItem]:
    for kind in Kind:
        if kind in received.by_type:
            yield TypeItem(type=kind, **Sum.of(received.by_type[kind]).model_dump(by_alias=False))


def _file(table: Table, wanted: Scope, period: Period, name: str) -> Response:
    exported(g.viewer, wanted.ids, name.replace("-", " "))
    named = f"{name}-{period.first}-{period.last}.csv"
    return Response(
        tables.file(table, wanted.zone_names),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{named}"'},
    )
