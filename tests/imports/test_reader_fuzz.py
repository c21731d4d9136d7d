"""Whatever the bytes are: rows or a refusal come out, soon, and in bounded memory."""

import csv
import io
import time
import tracemalloc
from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.imports import reader, values
from app.imports.cells import Readings, Rejected, Row
from app.imports.text import LARGEST_FILE, Unreadable

HEADER = b"Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"
PIECES = st.sampled_from(
    [
        b",",
        b";",
        b"\t",
        b'"',
        b"\n",
        b"\r",
        b"\0",
        b"'=",
        b"@",
        b"1.234,5",
        b"3/4/2026",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"tom",
    ]
)
ODD = st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=60).map(b"".join)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])


def read(data: bytes) -> list[Row | Rejected] | None:
    """Every row, or None for a file that is refused."""
    try:
        found = reader.survey(data)
    except Unreadable:
        return None
    rows = list(reader.rows(data, found.layout))
    assert len(rows) == found.total
    return rows


@given(data=st.one_of(st.binary(max_size=300), ODD, ODD.map(lambda odd: HEADER + odd)))
@example(data=b'username\n"')
@example(data=b"sep=\nusername\ttom")
@example(data=b"\xff\xfe")
@hypothesis(max_examples=200)
def test_any_bytes_become_rows_or_a_refusal(data: bytes) -> None:
    rows = read(data) or []
    keys = [row.key for row in rows if isinstance(row, Row)]
    assert len(keys) == len(set(keys))
    assert all(row.faults for row in rows if isinstance(row, Rejected))
    assert [row.line for row in rows] == sorted({row.line for row in rows})


CELLS = st.sampled_from(["", " ", "tom", "@Tom", "Tom T.", "null", "'=1", "a@b.co", "$1,234.50", "1.234", "3/4/2026"])


@given(records=st.lists(st.lists(CELLS | st.text(max_size=9), min_size=1, max_size=5), min_size=1, max_size=6))
@hypothesis(max_examples=100)
def test_rows_are_the_same_read_together_or_one_by_one(records: list[list[str]]) -> None:
    found = {"username": 0, "displayName": 1, "totalSpent": 2, "lastSeen": 3}
    numbered = list(enumerate(records, start=2))
    readings = Readings.of(4, found, None, None)
    for _ in range(2):
        assert list(readings.rows(numbered)) == [Readings.of(4, found, None, None).row(*one) for one in numbered]


@given(cell=st.text(max_size=70))
@hypothesis(max_examples=100)
def test_any_text_is_a_value_or_a_bad_cell(cell: str) -> None:
    for take in (
        values.handle,
        values.email,
        lambda c: values.line(c, 50),
        lambda c: values.cents(c, None),
        lambda c: values.cents(c, ","),
        lambda c: values.moment(c, "mdy"),
    ):
        with suppress(values.BadCell):
            take(values.text(cell))


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=50
).map(str.strip).filter(lambda name: name and not name.startswith("'"))  # fmt: skip


@given(
    names=st.lists(NAMES, min_size=1, max_size=20, unique=True), encoding=ENCODINGS, delimiter=st.sampled_from(",;\t")
)
@hypothesis(max_examples=100)
def test_names_arrive_as_they_were_written(names: list[str], encoding: str, delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([["Display Name", "x"], *([name, "x"] for name in names)])
    rows = read(out.getvalue().encode(encoding))
    assert rows is not None
    assert [row.name for row in rows if isinstance(row, Row)] == names


@given(cents=st.integers(0, 10**9), style=st.sampled_from(["{:,.2f}", "${:,.2f}", "{:.2f}"]), comma=st.booleans())
def test_amounts_arrive_to_the_cent(cents: int, style: str, comma: bool) -> None:
    text = style.format(cents / 100)
    if comma:
        text = text.translate(str.maketrans(",.", ".,")) + "\u00a0€"
    assert values.cents(text, None) == cents


def full(beginning: bytes, unit: bytes) -> bytes:
    """10 MB of `unit` after `beginning`."""
    return beginning + unit * ((LARGEST_FILE - len(beginning)) // len(unit))


HOSTILE = {
    "one letter a line": full(b"username\n", b"a\n"),
    "blank lines": full(b"username\n", b"\n"),
    "commas": full(b"username\n", b","),
    "an open quote": full(b'username\n"', b"abc\n"),
    "quotes over lines": full(b'username\n"', b'","\n'),
    "faulty rows": full(b"username,last seen,total spent\n", b"!,x,yyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n"),
    "nearly dates": full(b"username,last seen,total spent\n", b"a,9/9/99999999999 9:99,1.1.1.1,1.1,,'.'\n"),
    "wrong quotes": full(b"username\n", b'"a"b,\n'),
    "no text": b"\xff" * LARGEST_FILE,
    "spaces": full(b"username\n", b" " * 100 + b"\n"),
    "many columns": full(b"username" + b"," * 199 + b"\n", b",1" * 199 + b"\n"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_costs_little_time(data: bytes) -> None:
    begun = time.process_time()
    try:
        found = reader.survey(data)
    except Unreadable:
        found = None
    if found is not None:
        list(islice(reader.rows(data, found.layout), 1000))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("kind", ["commas", "an open quote", "quotes over lines", "no text", "many columns"])
def test_a_hostile_file_costs_little_memory(kind: str) -> None:
    data = HOSTILE[kind]
    tracemalloc.start()
    try:
        read(data[: 2 * 1024 * 1024])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 60_000_000
