"""The charts of the operations page, each with the table behind it, on the reader's clock."""

from collections.abc import Callable, Sequence

from app.accounts.models import User
from app.analytics.tables import Cell, Column, Table
from app.monitoring import figures, queries
from app.monitoring.queries import Point
from app.pages.charts import Chart
from app.pages.formats import clock, day, local

Draw = Callable[[Sequence[Point], Sequence[str]], figures.Figure]
USUAL_HOURS = 6
TIME = Column("From")


def charts(viewer: User, hours: int) -> list[Chart]:
    """What was sent and failed, how long it took, and how many attempts went wrong, over the last `hours`."""
    points = queries.traffic(viewer, hours)
    minutes = queries.STEPS[hours]
    return [
        _chart(
            "messages",
            "Messages",
            f"Sent and failed, every {minutes} minutes.",
            figures.messages if any(point.sent or point.failed for point in points) else None,
            points,
            Table((TIME, Column("Sent", Cell.COUNT), Column("Failed", Cell.COUNT)), _rows(points, _counts)),
        ),
        _chart(
            "latency",
            "From queued to sent",
            "What half, 95 % and 99 % of the messages took at most, the wait for the limit included.",
            figures.latency if any(point.latency[0] is not None for point in points) else None,
            points,
            Table((TIME, *(Column(name) for name, _, _ in figures.LINES)), _rows(points, _latencies)),
        ),
        _chart(
            "errors",
            "Error rate",
            "The share of attempts that the platform refused or didn’t answer; fans who can’t be reached don’t count.",
            figures.errors if any(point.attempts for point in points) else None,
            points,
            Table(
                (TIME, Column("Attempts", Cell.COUNT), Column("Errors", Cell.COUNT), Column("Rate", Cell.SHARE)),
                _rows(points, lambda point: (point.attempts, point.errors, point.error_rate)),
            ),
        ),
    ]


def _chart(name: str, title: str, about: str, draw: Draw | None, points: Sequence[Point], table: Table) -> Chart:
    times = [local(point.begins_at).replace(tzinfo=None).isoformat(timespec="minutes") for point in points]
    figure = draw(points, times) if draw else None
    return Chart(name, title, about, figure, table, empty="Nothing was sent in these hours.")


def _rows(points: Sequence[Point], cells: Callable[[Point], tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The newest first."""
    return [(f"{day(point.begins_at)}, {clock(point.begins_at)}", *cells(point)) for point in reversed(points)]


def _counts(point: Point) -> tuple[object, ...]:
    return point.sent, point.failed


def _latencies(point: Point) -> tuple[object, ...]:
    return tuple(None if one is None else f"{one / 1000:,.1f} s" for one in point.latency)
