"""Cells become values however people and programs spell them, or say why not."""

from datetime import UTC, datetime

import pytest

from app.imports import values
from app.imports.values import BadCell, DateOrder, Mark


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("0", 0),
        ("12", 1200),
        ("12.5", 1250),
        ("12,5", 1250),
        ("$1,234.50", 123450),
        ("1.234,50 €", 123450),
        ("€ 1.234,50", 123450),
        ("1\u202f234,50\u00a0€", 123450),
        ("1 234 567,5", 123456750),
        ("1'234.50 CHF", 123450),
        ("1,234", 123400),
        ("1,234,567", 123456700),
        ("1.234.567", 123456700),
        ("US$ 99.00", 9900),
        ("£5", 500),
        ("1234.567", 123457),
        ("0.125", 13),
        ("19.990000000000002", 1999),
    ],
)
def test_amounts_of_four_languages(cell: str, cents: int) -> None:
    assert values.cents(cell, None) == cents


@pytest.mark.parametrize(
    ("cell", "mark", "cents"),
    [("1.234", ",", 123400), ("1.234", ".", 123), ("1,234", ".", 123400), ("1,234", ",", 123)],
)
def test_a_lone_mark_before_three_digits_follows_the_rest_of_the_file(cell: str, mark: Mark, cents: int) -> None:
    assert values.cents(cell, mark) == cents


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("1.234", "may be 1234 or 1.23"),
        ("-5", "negative"),
        ("($5.00)", "negative"),
        ("−5", "negative"),
        ("12 34", "amount"),
        ("1,23,456", "amount"),
        ("1.234,567.89", "amount"),
        ("twelve", "amount"),
        ("1.2E+03", "amount"),
        ("$", "amount"),
        (".", "amount"),
        ("٣", "amount"),
        ("1" * 61, "amount"),
        ("10000000001", "too large"),
    ],
)
def test_what_is_no_amount_says_so(cell: str, why: str) -> None:
    with pytest.raises(BadCell, match=why):
        values.cents(cell, None)


DAY = datetime(2026, 11, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "order", "moment"),
    [
        ("2026-11-03", None, DAY),
        ("2026-11-03T14:05:06Z", None, DAY.replace(hour=14, minute=5, second=6)),
        ("2026-11-03 14:05", None, DAY.replace(hour=14, minute=5)),
        ("2026-11-03T01:00:00+01:00", None, DAY),
        ("2026/11/3", None, DAY),
        ("11/3/2026", "mdy", DAY),
        ("03/11/2026", "dmy", DAY),
        ("11/03/26 2:05 PM", "mdy", DAY.replace(hour=14, minute=5)),
        ("11/03/2026, 12:00:00\u202fAM", "mdy", DAY),
        ("03.11.2026", None, DAY),
        ("03.11.2026 14:05", "mdy", DAY.replace(hour=14, minute=5)),
        ("Nov 3, 2026", None, DAY),
        ("November 3rd, 2026 2:05 pm", None, DAY.replace(hour=14, minute=5)),
        ("3 novembre 2026", None, DAY),
        ("3. November 2026", None, DAY),
        ("3 de noviembre de 2026", None, DAY),
        ("3-Nov-2026", None, DAY),
    ],
)
def test_dates_of_four_languages(cell: str, order: DateOrder | None, moment: datetime) -> None:
    assert values.moment(cell, order) == moment


@pytest.mark.parametrize("name", ["février 2026", "Februar 2026", "Feb 2026", "febrero 2026"])
def test_months_by_name(name: str) -> None:
    assert values.moment(f"2 {name}", None) == datetime(2026, 2, 2, tzinfo=UTC)
    assert values.moment("14 juillet 2026", None).month == 7
    assert values.moment("14 juin 2026", None).month == 6
    assert values.moment("14 août 2026", None).month == values.moment("14 de agosto de 2026", None).month == 8


@pytest.mark.parametrize(
    ("cell", "order", "why"),
    [
        ("3/4/2026", None, "two different days"),
        ("13/4/2026", "mdy", "other way round"),
        ("4/13/2026", "dmy", "other way round"),
        ("2026-02-30", None, "calendar"),
        ("2026-02-30 25:00", None, "calendar"),
        ("31.04.2026", None, "calendar"),
        ("2026-11-03 13:00 PM", None, "time of day"),
        ("0001-01-01T00:00:00+14:00", None, "calendar|ago"),
        ("1066-10-14", None, "ago"),
        ("2 days ago", None, "date such as"),
        ("3 smarch 2026", None, "date such as"),
        ("9" * 61, None, "date such as"),
        ("2026-11-03T10:00:00+99:00", None, "calendar"),
    ],
)
def test_what_is_no_date_says_so(cell: str, order: DateOrder | None, why: str) -> None:
    with pytest.raises(BadCell, match=why):
        values.moment(cell, order)


def test_handles_are_bare_and_lower_case() -> None:
    for cell in ("tom.t_1", "@Tom.T_1", "https://onlyfans.com/TOM.t_1/", "www.onlyfans.com/@tom.t_1"):
        assert values.handle(cell) == "tom.t_1"
    for cell in ("two words", "@", "a" * 101, "İstanbul", "tom/x", "<b>"):
        with pytest.raises(BadCell):
            values.handle(cell)


def test_the_apostrophe_of_exports_is_taken_off_and_no_other() -> None:
    assert values.text(" '=1+1 ") == "=1+1"
    assert [values.text(f"'{mark}x") for mark in "+-@"] == ["+x", "-x", "@x"]
    assert values.text("'t Hooft") == "'t Hooft"
    assert values.text("''=x") == "''=x"
