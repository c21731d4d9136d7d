"""A file of any make becomes rows, or clear words about what is wrong and where."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from app.imports import reader
from app.imports.cells import Rejected, Row
from app.imports.reader import Layout, Wishes
from app.imports.text import Unreadable

HEADER = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"


def read(text: str | bytes, wishes: Wishes | None = None) -> list[Row | Rejected]:
    """All rows of a file, read by a layout that went through JSON as a stored one does."""
    data = text.encode() if isinstance(text, str) else text
    layout = json.loads(json.dumps(reader.survey(data, wishes).layout.plain()))
    return list(reader.rows(data, Layout(**layout)))


def faults(text: str | bytes) -> list[tuple[int, str, str]]:
    """(line, field, what is wrong) of everything that is."""
    return [(row.line, *fault) for row in read(text) if isinstance(row, Rejected) for fault in row.faults]


def handles(text: str | bytes) -> list[str]:
    """The good rows' handles."""
    return [row.handle for row in read(text) if isinstance(row, Row)]


def refusal(text: str | bytes) -> str:
    """Why a file as a whole isn't read."""
    with pytest.raises(Unreadable) as refused:
        read(text)
    (problem,) = refused.value.problems
    return problem.message


def test_a_whole_row() -> None:
    (row,) = read(HEADER + '@Tom,Tom T.,tom@example.com,Gold,"$1,234.50",2026-11-01T10:00:00Z\n')
    assert isinstance(row, Row)
    assert (row.line, row.handle, row.name, row.email, row.tier) == (2, "tom", "Tom T.", "tom@example.com", "Gold")
    assert (row.value_cents, row.last_seen_at) == (123450, datetime(2026, 11, 1, 10, tzinfo=UTC))


def test_what_a_row_does_not_say_is_nothing() -> None:
    for line in ("tom", "tom,,,,,", "tom,,N/A,-,null,Never"):
        (row,) = read(f"{HEADER}{line}\n")
        assert isinstance(row, Row)
        assert (row.name, row.email, row.tier, row.value_cents, row.last_seen_at) == ("", "", "", None, None)
    (row,) = read("Display Name\nNone\n")
    assert isinstance(row, Row)
    assert row.name == "None"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_make_of_file(delimiter: str, encoding: str, end: str) -> None:
    lines = [["E-Mail", "  USER  NAME ", "Total_Spent (USD)", "whatever"], ["z@example.com", "zoé.", "1.5", "é;,\t"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([lines[0], ["", "zoe", "1.5", "é;,\t"]])
    (row,) = read(out.getvalue().encode(encoding))
    assert isinstance(row, Row)
    assert (row.handle, row.value_cents) == ("zoe", 150)


@pytest.mark.parametrize(
    "header",
    [
        "Pseudo;Nom affiché;Courriel;Abonnement;Total dépensé;Dernière connexion",
        "Benutzername;Anzeigename;E-Mail-Adresse;Stufe;Gesamtausgaben (€);Zuletzt gesehen",
        "Nombre de usuario;Nombre visible;Correo electrónico;Suscripción;Total gastado;Última conexión",
        "handle;full name;MAIL;plan;LTV;last_active",
    ],
)
def test_headers_of_four_languages(header: str) -> None:
    (row,) = read(f"{header}\ntom;Tom;tom@example.com;Gold;1.234,50 €;01.11.2026\n")
    assert isinstance(row, Row)
    assert (row.handle, row.name, row.email, row.tier) == ("tom", "Tom", "tom@example.com", "Gold")
    assert (row.value_cents, row.last_seen_at) == (123450, datetime(2026, 11, 1, tzinfo=UTC))


def test_excels_first_line_names_the_delimiter() -> None:
    assert handles("sep=;\nusername;name\ntom;Tom, T.\n") == ["tom"]
    assert [row.line for row in read("sep=;\nusername;name\ntom;Tom, T.\n")] == [3]
    assert "commas, semicolons or tabs" in refusal("sep=|\nusername|name\n")


def test_a_mapping_of_ones_own() -> None:
    (row,) = read("A,B\nTom,tom\n", Wishes(columns={"username": 1, "displayName": 0}))
    assert isinstance(row, Row)
    assert (row.handle, row.name) == ("tom", "Tom")
    for wrong in ({"username": 2}, {"username": -1}, {"nonsense": 0}):
        with pytest.raises(Unreadable):
            read("A,B\nTom,tom\n", Wishes(columns=wrong))


def test_a_header_that_names_nobody_is_left_to_a_mapping() -> None:
    found = reader.survey(b"a,b\n1,2\n")
    assert (found.layout.header, found.layout.columns) == (["a", "b"], {})
    with pytest.raises(Unreadable) as refused:
        reader.check_columns(found.layout)
    assert "at least Username or Display Name; it reads: a, b" in refused.value.problems[0].message


def test_bad_rows_are_told_by_line_and_the_good_ones_are_read() -> None:
    text = (
        HEADER + 'good,,,,,\nbad handle,,nobody,,-5,32/32/2026\n\n,"",\n,,x@example.com\n"two\nlines",,,,,\nlast,,,,,\n'
    )
    assert handles(text) == ["good", "last"]
    assert faults(text) == [
        (3, "username", "Username must be 1 to 100 letters, digits, dots, _ or -"),
        (3, "email", "Email must be an e-mail address"),
        (3, "totalSpent", "Total Spent must not be negative"),
        (3, "lastSeen", "Last Seen may be two different days: write it as 2026-11-01"),
        (6, "username", "Username is required, or a Display Name"),
        (7, "username", "Username must be 1 to 100 letters, digits, dots, _ or -"),
    ]


def test_rows_of_another_width() -> None:
    assert handles("username,name\ntom,Tom,,\numa\n") == ["tom", "uma"]
    assert faults("username,name\ntom,Tom, the second\n")[0][:2] == (2, "row")


def test_wrong_quotes_spoil_one_line_only_and_it_is_kept() -> None:
    text = 'username,name\ntom,"Tom" T.\numa,Uma\n'
    assert handles(text) == ["uma"]
    (bad,) = [row for row in read(text) if isinstance(row, Rejected)]
    assert (bad.line, bad.cells) == (2, ['tom,"Tom" T.'])


def test_of_rows_about_the_same_fan_the_first_is_taken() -> None:
    text = "username,name\ntom,Tom\n@TOM,Another\n,Tom\n,Tom\n"
    assert [row.line for row in read(text) if isinstance(row, Row)] == [2, 4]
    assert faults(text) == [
        (3, "username", "Username is the same as on line 2"),
        (5, "displayName", "Display Name is the same as on line 4"),
    ]


def test_the_order_of_dates_is_proved_or_asked_for() -> None:
    def dates(*cells: str) -> tuple[str, str | None]:
        found = reader.survey(("username,last seen\n" + "".join(f"a,{cell}\n" for cell in cells)).encode())
        return found.dates, found.layout.date_order

    assert dates("3/4/2026", "4/13/2026") == ("clear", "mdy")
    assert dates("3/4/2026", "13/4/2026") == ("clear", "dmy")
    assert dates("3/4/2026") == ("ambiguous", None)
    assert dates("13/4/2026", "4/13/2026") == ("ambiguous", None)
    assert dates("2026-04-03", "3.4.2026", "5 May 2026", "", "3/3/2026") == ("clear", None)


def test_amounts_that_may_be_two_things_follow_the_files_others() -> None:
    german = [row.value_cents for row in read('username,total spent\na,1.234\nb,"2,50"\n') if isinstance(row, Row)]
    assert german == [123400, 250]
    assert faults("username,total spent\na,1.234\nb,2\n")[0][:2] == (2, "totalSpent")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("username\n", "no row below"),
        ("username\nto\0m\n", "Line 2 holds a NUL"),
        ("username\n" + "a" * 131_073 + "\n", "Line 2 holds a cell of more than 131,072"),
        ('username\numa\n"tom\nvic\n', "Line 3 opens a quote"),
        ('username\n"tom\nvic"x\n', "Line 2 opens a quote"),
        ("username" + "," * 200 + "\ntom\n", "Line 1 has 201 columns"),
        ("username" + "," * 1_000_000 + "\ntom\n", "Line 1 ends a row of more than 1,000,000"),
        ("username\ntom" + "," * 900_000 + "\n", "Line 2 has 900,001 columns"),
        ("username\n" + "a\n" * 300_001, "more than 300,000 rows"),
        ("username\n" + "\n" * 1_000_001, "more than 1,000,000 lines"),
        ('username\n"' + '","\n' * 300_000, "more than 1,000,000 characters"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_line(text: str, why: str) -> None:
    assert why in refusal(text)
