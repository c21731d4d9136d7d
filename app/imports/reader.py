"""Bytes → rows or problems. Pure and streaming: nothing but memory for one row and for the names already met."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Literal

from app.imports import columns, values
from app.imports.columns import DISPLAY_NAME, EMAIL, LAST_SEEN, SPENT, TIER, USERNAME
from app.imports.text import Lines, Unreadable, encoding
from app.imports.values import BadCell, DateOrder, Mark

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
MOST_COLUMNS = 200
MOST_ROWS = 300_000
SAMPLE = 8
Record = tuple[int, list[str]]
Taker = tuple[str, int, Callable[[str], Any], Any]
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


@dataclass(frozen=True, slots=True)
class Row:
    """A row whose cells are all right; None and "" are what it doesn't say. `line` is the file's, the header's is 1."""

    line: int
    handle: str
    name: str
    email: str
    tier: str
    value_cents: int | None
    last_seen_at: datetime | None
    cells: list[str]

    @property
    def key(self) -> str:
        """Whom the row is about: equal for two rows about the same fan."""
        return self.handle or key_of_name(self.name)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that can't be taken: every fault as (field, what is wrong), and its cells as they were."""

    line: int
    faults: list[tuple[str, str]]
    cells: list[str]


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


def key_of_name(name: str) -> str:
    """The key of a fan without a handle: handles know no spaces, so that no name can be taken for one."""
    return f" {name}"


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
    takers = _takers(layout)
    met: dict[str, int] = {}
    for line, cells in records:
        row = _row(line, cells, len(layout.header), takers)
        if isinstance(row, Row):
            before = met.setdefault(row.key, line)
            if before != line:
                which = (USERNAME, "Username") if row.handle else (DISPLAY_NAME, "Display Name")
                row = Rejected(line, [(which[0], f"{which[1]} is the same as on line {before}")], cells)
        yield row


def understand(record: Record, layout: Layout) -> Row | Rejected:
    """One row of a file, by itself."""
    return _row(*record, len(layout.header), _takers(layout))


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
            cells = [_BROKEN, lines.last.rstrip("\r\n")]
        if cells is None:
            return
        lines.restart()
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(f"Line {line} has {len(cells):,} columns: at most {MOST_COLUMNS} are read")
        if any(cells) and any(map(str.strip, cells)):
            yield line, cells


_BROKEN = "\0"
"""Stands before the text of a line whose quotes are wrong: no file may hold it."""


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


def _row(line: int, cells: list[str], width: int, takers: list[Taker]) -> Row | Rejected:
    if cells[0] == _BROKEN:
        return Rejected(line, [("row", "The quotes on this line are wrong")], cells[1:])
    count = len(cells)
    if count > width and any(cells[width:]):
        fault = f"The row has {count} cells, the header {width}: is a cell with a separator not quoted?"
        return Rejected(line, [("row", fault)], cells)
    found: list[Any] = []
    faults: list[tuple[str, str]] = []
    for name, index, take, nothing in takers:
        cell = values.text(cells[index]) if index < count else ""
        if not cell or (len(cell) <= values.LONGEST_BLANK and cell.casefold() in values.BLANK and name != DISPLAY_NAME):
            found.append(nothing)
            continue
        try:
            found.append(take(cell))
        except BadCell as error:
            faults.append((name, f"{columns.LABELS[name]} {error}"))
    if not faults and not (found[0] or found[1]):
        faults.append((USERNAME, "Username is required, or a Display Name"))
    return Rejected(line, faults, cells) if faults else Row(line, *found, cells)  # type: ignore[call-arg]


def _takers(layout: Layout) -> list[Taker]:
    """In the order of Row: the field, its column, how a cell of it is taken, and what an empty one is."""
    order, mark = layout.date_order, layout.decimal_mark
    ways: list[tuple[str, Callable[[str], Any], Any]] = [
        (USERNAME, values.handle, ""),
        (DISPLAY_NAME, partial(values.line, most=values.NAME_LENGTH), ""),
        (EMAIL, values.email, ""),
        (TIER, partial(values.line, most=values.TIER_LENGTH), ""),
        (SPENT, partial(values.cents, mark=mark), None),
        (LAST_SEEN, partial(values.moment, order=order), None),
    ]
    return [(name, layout.columns.get(name, MOST_COLUMNS), take, nothing) for name, take, nothing in ways]
