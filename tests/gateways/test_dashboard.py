"""The dashboard is what CloudWatch can draw: widgets on its grid, lines that it knows, ids that it takes."""

import re
from typing import Any

from app.gateways import dashboard
from app.gateways.dashboard import COLUMNS
from app.gateways.metrics import UNITS, Metric

BODY = dashboard.body("Huntaze/OnlyFans", "eu-west-1", "queue", "dead")
PROPERTIES = {"title", "region", "view", "stacked", "period", "stat", "metrics", "yAxis"}
OPTIONS = {"label", "stat", "id", "visible", "expression"}
STATISTIC = re.compile(r"Sum|Average|Maximum|Minimum|SampleCount|p\d{1,2}(\.\d+)?")
ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")


def _cells(widget: dict[str, Any]) -> set[tuple[int, int]]:
    columns = range(widget["x"], widget["x"] + widget["width"])
    return {(column, row) for column in columns for row in range(widget["y"], widget["y"] + widget["height"])}


def test_five_widgets_fill_the_grid_without_touching() -> None:
    cells = [_cells(widget) for widget in BODY["widgets"]]
    assert len(cells) == 5
    assert len(set.union(*cells)) == sum(map(len, cells)) == COLUMNS * 2 * dashboard.HEIGHT
    assert max(column for column, _ in set.union(*cells)) < COLUMNS


def test_every_line_is_one_that_cloudwatch_knows() -> None:
    for widget in BODY["widgets"]:
        assert widget["type"] == "metric"
        properties = widget["properties"]
        assert set(properties) == PROPERTIES
        assert STATISTIC.fullmatch(properties["stat"])
        assert properties["period"] % 60 == 0
        lines = properties["metrics"]
        ids = [line[-1]["id"] for line in lines if "id" in line[-1]]
        assert len(set(ids)) == len(ids)
        assert all(ID.fullmatch(name) for name in ids)
        for line in lines:
            *metric, options = line
            assert set(options) <= OPTIONS
            assert STATISTIC.fullmatch(options.get("stat", "Sum"))
            if metric:
                assert len(metric) % 2 == 0
                assert metric[0] == "AWS/SQS" or metric[1] in {known.value for known in Metric}
            else:
                named = set(re.findall(r"\b[a-z]\w*\b", options["expression"]))
                assert named <= set(ids)


def test_what_people_were_promised_is_there() -> None:
    latency = BODY["widgets"][1]["properties"]["metrics"]
    assert {line[-1]["stat"] for line in latency if line[1] == "QueueLatency"} == {"Average", "Maximum", "p99"}
    assert set(UNITS.values()) == {"Milliseconds", "Seconds"}
