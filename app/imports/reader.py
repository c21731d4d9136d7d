"""Bytes → rows or problems. Pure and streaming: nothing but memory for one row and for the names already met."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, Literal

from app.imports import columns, values
from app.imports.cells import BROKEN, Readings, Record, Rejected, Row
from app.imports.columns import DISPLAY_NAME, LAST_SEEN, SPENT, USERNAME
from app.imports.text import Lines, Unreadable, encoding
from app.imports.values import DateOrder, Mark

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
MOST_COLUMNS = 200
MOST_ROWS = 300_000
SAMPLE = 8
TOGETHER = 500
Dates = Literal["clear", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read: `columns` is field → index into `header`."""

    encoding: str
    delimiter: str
    header: list[str]
    columns: Mapping[str, int]
    date_order: DateOrder | None = None
    decimal_mark: Mark | None = None

    def plain(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person says about a file, where they don't leave it to us."""

    columns: Mapping[str, int] | None = None
    date_order: DateOrder | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at the whole file found; `sample` is its first rows. `dates`: whether their order is proved."""

    layout: Layout
    sample: list[Record]
    total: int
    dates: Dates

    @property
    def european(self) -> bool:
        """Whether the file is of the kind whose dates begin with the day."""
        return self.layout.delimiter == ";" or self.layout.decimal_mark == ","


@dataclass(slots=True)
class _Proofs:
    """What the file's dates and amounts say about their own spelling."""

    orders: set[str] = field(default_factory=set)
    marks: set[Mark] = field(default_factory=set)

    def order(self) -> DateOrder | None:
        """The only order that was proved."""
        proved = self.orders & {"mdy", "dmy"}
        if len(proved) != 1:
            return None
        return "dmy" if "dmy" in proved else "mdy"

    def mark(self) -> Mark | None:
        """The only mark that was seen."""
        return next(iter(self.marks)) if len(self.marks) == 1 else None


def check_columns(layout: Layout) -> None:
    """Raises Unreadable when no column says who a row is about."""
    if USERNAME not in layout.columns and DISPLAY_NAME not in layout.columns:
        seen = ", ".join(cell[:40] for cell in layout.header[:10])
        raise Unreadable(f"Line 1 must name the columns, at least Username or Display Name; it reads: {seen}")


def survey(data: bytes, wishes: Wishes | None = None) -> Survey:
    """Look at the whole file once; raises Unreadable when there is no reading it."""
    wishes = wishes or Wishes()
    name = encoding(data)
    delimiter = _delimiter(data, name)
    records = _records(data, name, delimiter)
    _, header = next(records, (1, [""]))
    header = [values.text(cell) for cell in header]
    found = _columns(header, wishes.columns)
    sample: list[Record] = []
    proofs, total = _Proofs(), 0
    for record in records:
        total += 1
        if total > MOST_ROWS:
            raise Unreadable(f"The file has more than {MOST_ROWS:,} rows: split it")
        if total <= SAMPLE:
            sample.append(record)
        _weigh(record[1], found, proofs)
    if not total:
        raise Unreadable("The file has a header, and no row below it")
    order = wishes.date_order or proofs.order()
    layout = Layout(name, delimiter, header, found, order, proofs.mark())
    doubtful = proofs.order() is None and bool(proofs.orders)
    return Survey(layout, sample, total, "ambiguous" if doubtful else "clear")


def rows(data: bytes, layout: Layout) -> Iterator[Row | Rejected]:
    """Every row of a file that was surveyed, in order; of rows about the same fan only the first is taken."""
    records = _records(data, layout.encoding, layout.delimiter)
    next(records)
    readings = _readings(layout)
    met: dict[str, int] = {}
    while some := list(islice(records, TOGETHER)):
        for row in readings.rows(some):
            before = met.setdefault(row.key, row.line) if isinstance(row, Row) else row.line
            yield row if before == row.line else _repeated(row, before)


def understand(record: Record, layout: Layout) -> Row | Rejected:
    """One row of a file, by itself."""
    return _readings(layout).row(*record)


def _readings(layout: Layout) -> Readings:
    return Readings.of(len(layout.header), layout.columns, layout.date_order, layout.decimal_mark)


def _repeated(row: Row | Rejected, before: int) -> Rejected:
    by_handle = isinstance(row, Row) and row.handle
    name, label = (USERNAME, "Username") if by_handle else (DISPLAY_NAME, "Display Name")
    return Rejected(row.line, [(name, f"{label} is the same as on line {before}")], row.cells)


def _records(data: bytes, name: str, delimiter: str) -> Iterator[Record]:
    """Line number and cells of every row that isn't blank; raises Unreadable where rows can't be told apart."""
    lines = Lines(data, name)
    source = iter(lines)
    if lines.first().rstrip("\r\n").lower().startswith("sep="):
        next(source)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    skipped = lines.number
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if reader.line_num + skipped > line or "field limit" in str(error) or "unexpected end" in str(error):
                raise Unreadable(_broken(line, str(error))) from None
            cells = [BROKEN, lines.last.rstrip("\r\n")]
        if cells is None:
            return
        lines.restart()
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(f"Line {line} has {len(cells):,} columns: at most {MOST_COLUMNS} are read")
        if any(cells) and any(map(str.strip, cells)):
            yield line, cells


def _broken(line: int, error: str) -> str:
    if "field limit" in error:
        return f"Line {line} holds a cell of more than 131,072 characters, or opens a quote that nobody closes"
    return f"Line {line} opens a quote that isn't closed as it should be"


def _delimiter(data: bytes, name: str) -> str:
    """The one whose header tells us most; Excel's own first line `sep=;` settles it."""
    first = Lines(data, name).first().rstrip("\r\n")
    if first.lower().startswith("sep="):
        chosen = first[4:5] or "\t"
        if chosen not in DELIMITERS:
            raise Unreadable("Cells must be separated by commas, semicolons or tabs")
        return chosen

    def told(delimiter: str) -> tuple[int, int]:
        try:
            _, header = next(_records(data, name, delimiter), (1, []))
        except Unreadable:
            # It splits the header into too much: better than one that doesn't split it at all.
            return 1, 0
        return len(columns.match(header)), len(header)

    return max(DELIMITERS, key=told)


def _columns(header: list[str], wished: Mapping[str, int] | None) -> dict[str, int]:
    found = columns.match(header) if wished is None else dict(wished)
    if not set(found) <= set(columns.LABELS) or not all(0 <= index < len(header) for index in found.values()):
        raise Unreadable("There is no such column", field="columns")
    return found


def _weigh(cells: list[str], found: Mapping[str, int], proofs: _Proofs) -> None:
    seen_at, spent_at = found.get(LAST_SEEN, MOST_COLUMNS), found.get(SPENT, MOST_COLUMNS)
    if seen_at < len(cells):
        proof = values.date_order(values.text(cells[seen_at]))
        if proof is not None:
            proofs.orders.add(proof)
    if spent_at < len(cells):
        mark = values.decimal_mark(cells[spent_at])
        if mark is not None:
            proofs.marks.add(mark)
