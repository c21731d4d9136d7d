"""Charts of the last hours: points → Plotly's JSON, in tones whose colours the page knows; pure."""

from collections.abc import Sequence
from typing import Any

from app.monitoring.queries import Point

Figure = dict[str, Any]
LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
# Name, tone and dash of each of queries.PERCENTILES.
LINES = (("Half", "accent", "solid"), ("95 %", "chart-middle", "dash"), ("99 %", "ink-3", "dot"))
TIME_AXIS = {"type": "date", "fixedrange": True, "showgrid": False, "tickformat": "%H:%M", "nticks": 8}
COUNT_AXIS = {"rangemode": "tozero", "fixedrange": True, "nticks": 5, "tickformat": ",d"}


def messages(points: Sequence[Point], times: Sequence[str]) -> Figure:
    """Bars of what was sent, and upon them what failed; `times` are the reader's, without a zone."""
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": times,
            "y": [getattr(point, name.lower()) for point in points],
            "meta": {"tone": tone},
            "hovertemplate": f"%{{y:,d}} {name.lower()}<extra></extra>",
        }
        for name, tone in (("Sent", "chart-middle"), ("Failed", "bad"))
    ]
    return _figure(traces, {"barmode": "stack", "yaxis": COUNT_AXIS})


def latency(points: Sequence[Point], times: Sequence[str]) -> Figure:
    """Lines of the seconds from queued to sent that half, 95 % and 99 % of the messages took at most."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": times,
            "y": [_seconds(point.latency[place]) for point in points],
            "line": {"dash": dash},
            "meta": {"tone": tone},
            "hovertemplate": f"{name} within %{{y:,.1f}} s<extra></extra>",
        }
        for place, (name, tone, dash) in enumerate(LINES)
    ]
    axis = {"rangemode": "tozero", "fixedrange": True, "nticks": 5, "ticksuffix": " s"}
    return _figure(traces, {"yaxis": axis})


def errors(points: Sequence[Point], times: Sequence[str]) -> Figure:
    """A line of the share of attempts that failed."""
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": times,
        "y": [point.error_rate for point in points],
        "customdata": [[point.errors, point.attempts] for point in points],
        "meta": {"tone": "bad"},
        "hovertemplate": "%{y:.1%}: %{customdata[0]:,d} of %{customdata[1]:,d} attempts<extra></extra>",
    }
    axis = {"rangemode": "tozero", "fixedrange": True, "nticks": 5, "tickformat": ".0%"}
    return _figure([line], {"yaxis": axis, "showlegend": False})


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000, 2)


def _figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> Figure:
    # Its import takes half a second, which no worker and no command has to pay.
    import plotly.graph_objects as go

    common = {"template": "none", "xaxis": TIME_AXIS, "legend": LEGEND, "hovermode": "x unified"}
    found: Figure = go.Figure(data=data, layout=common | layout).to_plotly_json()
    return found
