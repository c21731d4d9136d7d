"""Figures are what Plotly takes, and nobody's name can be anything but a name in them."""

import html
from datetime import date
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analytics import figures
from app.analytics.audience import TopFan
from app.analytics.buckets import Interval, buckets
from app.analytics.cohorts import Cohort
from app.analytics.revenue import Money, Point
from app.analytics.scope import Period

MONEY = Money(12_345, 9_876, 3)
YEAR = Period(date(2025, 12, 10), date(2026, 12, 5))
HOSTILE = ("<img src=x onerror=alert(1)>", '<a href="javascript:alert(1)">me</a>', "<b>x</b>", "&lt;i&gt;", "$\\alpha$")


def fan(name: str, fan_id: int = 7) -> TopFan:
    """Somebody who paid."""
    return TopFan(fan_id, 1, name, None, 0, MONEY)


def every_figure() -> list[dict[str, Any]]:
    """One figure of each kind, with something in it."""
    found = []
    for interval in Interval:
        steps = buckets(interval, YEAR)
        found.append(figures.trend([Point(bucket, MONEY, Money()) for bucket in steps], interval, net=True))
        found.append(figures.active([(bucket, 3) for bucket in steps], interval))
    found.append(figures.top_fans([fan("Tom"), fan("Uma", 8)], False, "/fans/{}".format))
    found.append(figures.by_type({"tip": MONEY, "post": Money()}, net=False))
    found.append(figures.by_hour({(6, 23): MONEY}, net=False))
    found.append(figures.cohorts([Cohort(date(2026, 1, 1), 4, [4, 2, 0]), Cohort(date(2026, 2, 1), 0, [0])]))
    found.append(figures.creators([(1, "Ada", MONEY, Money()), (2, "Ada", MONEY, MONEY)], net=True))
    return found


@pytest.mark.parametrize("figure", every_figure())
def test_plotly_takes_every_figure(figure: dict[str, Any]) -> None:
    assert go.Figure(figure).to_plotly_json()["data"] == figure["data"]
    assert all(trace["hovertemplate"].endswith("<extra></extra>") for trace in figure["data"])


def test_a_bar_for_each_step_and_fan_however_they_are_called() -> None:
    before, this = every_figure()[0]["data"]
    assert len(this["y"]) == len(before["y"]) == YEAR.days
    bars = figures.top_fans([fan("2026-01-01", number) for number in range(10)], True, "/fans/{}".format)
    assert len(set(bars["data"][0]["y"])) == 10
    assert bars["layout"]["meta"]["links"][3] == "/fans/3"
    assert bars["data"][0]["x"][0] == 98.76


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_in_names_is_text(name: str) -> None:
    found = figures.top_fans([fan(name)], False, "/fans/{}".format)
    for shown in (found["layout"]["yaxis"]["ticktext"][0], found["data"][0]["customdata"][0][0]):
        assert not set(shown) & set("<>\"'")
        assert html.unescape(shown).removesuffix("…") in name
    assert figures.creators([(1, name, MONEY, MONEY)], True)["layout"]["yaxis"]["ticktext"][0] == figures.label(name)


@given(st.text(max_size=60))
def test_every_text_becomes_a_short_visible_label(text: str) -> None:
    shown = html.unescape(figures.label(text))
    assert 1 <= len(shown) <= figures.LABEL_LENGTH
    assert shown.isprintable() or not text.isprintable()
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval.DAY, ["Wed 10 Dec 2025", "Sat 5 Dec 2026"]),
        (Interval.WEEK, ["10 to 14 Dec 2025", "30 Nov to 5 Dec 2026"]),
        (Interval.MONTH, ["10 to 31 Dec 2025", "1 to 5 Dec 2026"]),
    ],
)
def test_steps_are_named_as_people_would(interval: Interval, words: list[str]) -> None:
    steps = buckets(interval, YEAR)
    assert [figures.when(bucket, interval) for bucket in (steps[0], steps[-1])] == words
    assert figures.when(buckets(Interval.MONTH, YEAR)[1], Interval.MONTH) == "January 2026"
