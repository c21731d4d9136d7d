"""Charts: data → Plotly's JSON, without colours, which the page adds; pure. Amounts are in dollars here.

Names come from strangers: Plotly reads a few HTML tags in labels, so every text goes through `label`, and positions on
an axis are ids, so that a name is neither taken for a date nor laid upon the same one of somebody else.
"""

import html
import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.analytics.audience import TopFan
from app.analytics.buckets import Bucket, Interval, begin
from app.analytics.cohorts import Cohort
from app.analytics.revenue import Money, Point
from app.analytics.tables import KINDS, WEEKDAYS

Figure = dict[str, Any]
Trace = dict[str, Any]
Layout = dict[str, Any]
LABEL_LENGTH = 24
DOLLARS = "$,.2f"
NO_AXIS = {"showgrid": False, "zeroline": False, "fixedrange": True}
MONEY_AXIS = {"tickprefix": "$", "separatethousands": True, "rangemode": "tozero", "fixedrange": True, "nticks": 6}
LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
MARKS = 9
DAY_MS = 86_400_000
STEPS = {Interval.DAY: DAY_MS, Interval.WEEK: 7 * DAY_MS, Interval.MONTH: 30 * DAY_MS}
HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Control characters, marks that turn the direction of text, surrogates, line ends."""


def label(text: str, length: int = LABEL_LENGTH) -> str:
    """Text that Plotly shows as it is, however it is meant; cut after `length` characters."""
    visible = "".join(sign for sign in text if unicodedata.category(sign) not in HIDDEN).strip() or "…"
    return html.escape(visible if len(visible) <= length else f"{visible[: length - 1].rstrip()}…")


def trend(points: Sequence[Point], interval: Interval, net: bool) -> Figure:
    """Bars of revenue, and behind them wider bars of the period before."""
    starts = [begin(interval, point.bucket.first).isoformat() for point in points]
    both = {"type": "bar", "x": starts, "customdata": [when(point.bucket, interval) for point in points]}
    before = {
        "name": "One period before",
        "y": [amount(point.before, net) for point in points],
        "width": STEPS[interval] * 0.86,
        "hovertemplate": f"One period before: %{{y:{DOLLARS}}}<extra></extra>",
    }
    this = {
        "name": "This period",
        "y": [amount(point.money, net) for point in points],
        "width": STEPS[interval] * 0.5,
        "hovertemplate": f"<b>%{{customdata}}</b><br>%{{y:{DOLLARS}}}<extra></extra>",
    }
    layout = {
        "barmode": "overlay",
        "xaxis": _time_axis([point.bucket for point in points], interval),
        "yaxis": MONEY_AXIS,
        "hovermode": "x",
        "legend": LEGEND | {"traceorder": "reversed"},
    }
    return _figure([both | before, both | this], layout)


def top_fans(found: Sequence[TopFan], net: bool, address: Callable[[int], str]) -> Figure:
    """A bar for each fan, the best on top; `meta.links` are where the names lead, each an `address(fan_id)`."""
    ids = [f"fan {fan.fan_id}" for fan in found]
    labels = [label(fan.name) for fan in found]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": ids,
        "x": [amount(fan.money, net) for fan in found],
        "text": [f"${amount(fan.money, net):,.2f}" for fan in found],
        "textposition": "auto",
        "customdata": [[label(fan.name, 60), fan.money.payments] for fan in found],
        "hovertemplate": f"<b>%{{customdata[0]}}</b><br>%{{x:{DOLLARS}}} in %{{customdata[1]}} payments<extra></extra>",
    }
    names = {"type": "category", "autorange": "reversed", "tickmode": "array", "tickvals": ids, "ticktext": labels}
    # As links of its own, the library would style them inline, which the page's policy refuses.
    links = {"links": [address(fan.fan_id) for fan in found]}
    return _figure([bars], {"xaxis": MONEY_AXIS, "yaxis": names | NO_AXIS | {"automargin": True}, "meta": links})


def by_type(sums: dict[str, Money], net: bool) -> Figure:
    """A bar for each type of payment."""
    known = [kind for kind in KINDS if kind in sums]
    total = sum(amount(sums[kind], net) for kind in known) or 1.0
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [KINDS[kind] for kind in known],
        "x": [amount(sums[kind], net) for kind in known],
        "text": [f"{amount(sums[kind], net) / total:.0%}" for kind in known],
        "textposition": "auto",
        "customdata": [sums[kind].payments for kind in known],
        "hovertemplate": f"<b>%{{y}}</b><br>%{{x:{DOLLARS}}} in %{{customdata}} payments<extra></extra>",
    }
    names = NO_AXIS | {"type": "category", "autorange": "reversed", "automargin": True}
    return _figure([bars], {"xaxis": MONEY_AXIS, "yaxis": names})


def by_hour(sums: dict[tuple[int, int], Money], net: bool) -> Figure:
    """Weekdays by hours, the more the stronger."""
    hours = [f"{hour:02}" for hour in range(24)]
    cells = [[amount(sums.get((day, hour), Money()), net) for hour in range(24)] for day in range(7)]
    heat = {
        "type": "heatmap",
        "x": hours,
        "y": [name[:3] for name in WEEKDAYS],
        "z": cells,
        "customdata": [[name] * 24 for name in WEEKDAYS],
        "hovertemplate": f"<b>%{{customdata}}, %{{x}}:00 to %{{x}}:59</b><br>%{{z:{DOLLARS}}}<extra></extra>",
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "zmin": 0,
    }
    clock = NO_AXIS | {"type": "category", "dtick": 3, "title": {"text": "Hour of the day"}}
    return _figure([heat], {"xaxis": clock, "yaxis": NO_AXIS | {"type": "category", "autorange": "reversed"}})


def active(found: Sequence[tuple[Bucket, int]], interval: Interval) -> Figure:
    """A line of how many fans paid."""
    line = {
        "type": "scatter",
        "mode": "lines+markers" if len(found) < 62 else "lines",
        "x": [begin(interval, bucket.first).isoformat() for bucket, _ in found],
        "y": [count for _, count in found],
        "fill": "tozeroy",
        "customdata": [when(bucket, interval) for bucket, _ in found],
        "hovertemplate": "<b>%{customdata}</b><br>%{y} active fans<extra></extra>",
    }
    counts = {"rangemode": "tozero", "fixedrange": True, "nticks": 5, "tickformat": ",d"}
    return _figure([line], {"xaxis": _time_axis([bucket for bucket, _ in found], interval), "yaxis": counts})


def cohorts(found: Sequence[Cohort]) -> Figure:
    """Months by months since, with the share that paid again."""
    shown = [cohort for cohort in found if cohort.size and len(cohort.stayed) > 1]
    width = max((len(cohort.stayed) for cohort in shown), default=1) - 1
    names = [f"{cohort.month:%b %Y}" for cohort in shown]
    shares = [[_share(cohort, place) for place in range(1, width + 1)] for cohort in shown]
    heat = {
        "type": "heatmap",
        "x": list(range(1, width + 1)),
        "y": names,
        "z": shares,
        "texttemplate": "%{z:.0%}",
        "customdata": [[cohort.size] * width for cohort in shown],
        "hovertemplate": "<b>Began in %{y}</b>, %{customdata} fans<br>%{z:.0%} paid in month %{x}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "zmin": 0,
        "zmax": 1,
    }
    months = NO_AXIS | {"dtick": 1, "title": {"text": "Months since the first payment"}}
    rows = NO_AXIS | {"type": "category", "autorange": "reversed", "automargin": True}
    return _figure([heat], {"xaxis": months, "yaxis": rows})


def creators(rows: Iterable[tuple[int, str, Money, Money]], net: bool) -> Figure:
    """Two bars for each creator: this period, and the one before."""
    found = list(rows)
    ids = [f"account {account_id}" for account_id, _, _, _ in found]
    names = [label(name) for _, name, _, _ in found]
    bars = {"type": "bar", "orientation": "h", "y": ids, "customdata": [label(name, 60) for _, name, _, _ in found]}
    hover = f"<b>%{{customdata}}</b><br>%{{fullData.name}}: %{{x:{DOLLARS}}}<extra></extra>"
    axis = {"type": "category", "autorange": "reversed", "tickmode": "array", "tickvals": ids, "ticktext": names}
    now = [amount(money, net) for _, _, money, _ in found]
    before = [amount(money, net) for _, _, _, money in found]
    traces = [
        bars | {"name": name, "x": values, "hovertemplate": hover}
        for name, values in (("This period", now), ("One period before", before))
    ]
    return _figure(traces, {"xaxis": MONEY_AXIS, "yaxis": axis | NO_AXIS | {"automargin": True}, "legend": LEGEND})


def amount(money: Money, net: bool) -> float:
    """Dollars, net or gross."""
    return (money.net if net else money.gross) / 100


def when(bucket: Bucket, interval: Interval) -> str:
    """`Mon 2 Nov 2026`, `2 to 8 Nov 2026`, `November 2026`, or the days of a bucket that is shorter."""
    first, last = bucket.first, bucket.last
    if interval is Interval.DAY:
        return f"{first:%a} {first.day} {first:%b %Y}"
    if interval is Interval.MONTH and first.day == 1 and (last.day > 27):
        return f"{first:%B %Y}"
    same = first.month == last.month and first.year == last.year
    return f"{first.day}{'' if same else f' {first:%b}'} to {last.day} {last:%b %Y}"


def _time_axis(found: Sequence[Bucket], interval: Interval) -> Layout:
    """Marks under the beginnings of buckets, about nine of them."""
    every = math.ceil(len(found) / MARKS)
    axis: Layout = {"type": "date", "fixedrange": True, "showgrid": False, "hoverformat": " "}
    axis["tick0"] = begin(interval, found[0].first).isoformat()
    if interval is Interval.MONTH:
        return axis | {"tickformat": "%b\n%Y", "dtick": f"M{every if len(found) > MARKS + 4 else 1}"}
    return axis | {"tickformat": "%-d %b\n%Y", "dtick": every * STEPS[interval]}


def _share(cohort: Cohort, place: int) -> float | None:
    return cohort.stayed[place] / cohort.size if place < len(cohort.stayed) else None


def _figure(data: list[Trace], layout: Layout) -> Figure:
    # Its import takes half a second, which no worker and no command has to pay.
    import plotly.graph_objects as go

    found: Figure = go.Figure(data=data, layout={"template": "none", **layout}).to_plotly_json()
    return found
