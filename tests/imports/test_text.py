"""Bytes are told apart: encodings by proof, and what is no text by name."""

import pytest

from app.imports import text
from app.imports.text import Unreadable

TEXT = "Username;Display Name\ntom;Zoë – 5 €\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings_are_recognised(name: str, found: str) -> None:
    data = TEXT.encode(name)
    assert text.encoding(data) == found
    assert "".join(text.Lines(data, found)) == TEXT


def test_a_character_that_is_cut_by_a_piece_is_whole() -> None:
    data = b"a" * (text.PIECE - 1) + "é".encode() + b"b" * text.PIECE
    assert text.encoding(data) == "utf-8"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"PK\x03\x04" + b"x" * 50, "Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 50, "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n", "picture"),
        (b"\x1f\x8b\x08", "packed"),
        ("é\né\n".encode() + b"\xff\n", "Line 3 is broken UTF-8"),
        (b"\xff\xfea", "Line 1 is broken UTF-16"),
        (b"username\n\x81\n", "unknown encoding"),
        (b"a" * (text.LARGEST_FILE + 1), "10 MB"),
    ],
)
def test_what_is_no_text_says_what_it_is(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as refused:
        text.encoding(data)
    assert why in refused.value.problems[0].message


def test_a_broken_character_is_found_where_it_stands() -> None:
    data = "é\n".encode() * text.PIECE + b"\xc3\x28\n"
    with pytest.raises(Unreadable) as refused:
        text.encoding(data)
    assert f"Line {text.PIECE + 1} " in refused.value.problems[0].message
