"""Files of figures: exact money, a heading with its unit, no cell that a program would run, and never all at once."""

import csv
import io
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from app.analytics import tables
from app.analytics.tables import Cell, Column, Table


def read(table: Table, zones: list[str] | None = None) -> list[list[str]]:
    """What a program that reads CSV sees."""
    return list(csv.reader(io.StringIO("".join(tables.file(table, zones or ["UTC"])), newline="")))


@given(st.integers(-(10**12), 10**12))
def test_money_is_exact(cents: int) -> None:
    written = tables.written(Cell.MONEY, cents)
    whole, _, part = written.lstrip("-").partition(".")
    assert len(part) == 2
    assert (int(whole) * 100 + int(part)) * (-1 if written.startswith("-") else 1) == cents


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))
def test_no_text_is_a_formula_and_all_of_it_comes_through(texts: list[str]) -> None:
    lines = read(Table([Column("Name"), Column("x")], [(text, "x") for text in texts]))
    assert [line[0].removeprefix("'") for line in lines[1:]] == [text.removeprefix("'") for text in texts]
    assert not any(line[0].startswith(tables.FORMULA) for line in lines)


def test_headings_name_currency_and_time_zones() -> None:
    columns = [Column("From", Cell.DAY), Column("Net", Cell.MONEY), Column("Fan"), Column("Wait", Cell.SECONDS)]
    zones = ["Asia/Tokyo", "Europe/Paris", "Pacific/Pago_Pago", "UTC"]
    assert read(Table(columns, []), zones[:2]) == [
        ["From (Asia/Tokyo and Europe/Paris)", "Net (USD)", "Fan", "Wait (seconds)"]
    ]
    assert (
        read(Table(columns, []), zones)[0][0] == "From (Asia/Tokyo and Europe/Paris and Pacific/Pago_Pago and others)"
    )


def test_a_long_file_is_written_in_pieces_while_its_rows_are_read() -> None:
    taken = 0

    def rows() -> Iterator[tuple[str]]:
        nonlocal taken
        for number in range(100_000):
            taken = number
            yield (f"somebody {number}",)

    pieces = tables.file(Table([Column("Name")], rows()), ["UTC"])
    assert len(next(pieces)) < 2 * tables.FLUSH_AT
    assert taken < 20_000
    assert sum(1 for _ in pieces) > 5
    assert taken == 99_999
