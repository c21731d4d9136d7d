"""Figures as people read them."""

from datetime import date

import pytest

from app.analytics.cards import Card
from app.analytics.scope import Period
from app.analytics.tables import Cell
from app.pages import numbers


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (None, Cell.MONEY, "–"),
        (123_456, Cell.MONEY, "$1,234.56"),
        (-5, Cell.MONEY, "−$0.05"),
        (12_345, Cell.COUNT, "12,345"),
        (0.974, Cell.SHARE, "97.4 %"),
        (0, Cell.SECONDS, "0 s"),
        (59.6, Cell.SECONDS, "1 min"),
        (779, Cell.SECONDS, "12 min"),
        (4800, Cell.SECONDS, "1 h 20 min"),
        (7200, Cell.SECONDS, "2 h"),
        (273_600, Cell.SECONDS, "3 d 4 h"),
        (date(2026, 11, 2), Cell.DAY, "2 Nov 2026"),
        ("Tom", Cell.TEXT, "Tom"),
    ],
)
def test_every_kind_of_cell(value: object, kind: Cell, words: str) -> None:
    assert numbers.cell(value, kind) == words


@pytest.mark.parametrize(
    ("kind", "now", "before", "words", "judged"),
    [
        (Cell.MONEY, 1120, 1000, "▲ 12.0 %", "good"),
        (Cell.COUNT, 90, 100, "▼ 10.0 %", "bad"),
        (Cell.SECONDS, 90, 100, "▼ 10.0 %", "good"),
        (Cell.SHARE, 0.98, 0.995, "▼ 1.5 points", "bad"),
        (Cell.COUNT, 100, 100, "No change", ""),
    ],
)
def test_a_change_is_told_and_judged(kind: Cell, now: float, before: float, words: str, judged: str) -> None:
    card = Card("name", "Title", kind, now, before, "how")
    assert (numbers.change(card), numbers.judged(card)) == (words, judged)


def test_what_cannot_be_compared_has_no_change() -> None:
    for now, before in ((None, 5), (5, None), (5, 0)):
        assert Card("name", "Title", Cell.COUNT, now, before, "how").change is None


def test_a_span_of_days() -> None:
    assert numbers.span(Period(date(2026, 10, 24), date(2026, 11, 22))) == "24 Oct – 22 Nov 2026"
    assert numbers.span(Period(date(2025, 12, 24), date(2026, 1, 22))) == "24 Dec 2025 – 22 Jan 2026"
