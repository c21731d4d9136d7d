"""From cells to rows, a column at a time: most cells say what another one said, or are right as they stand."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

from app.imports import columns, values
from app.imports.columns import DISPLAY_NAME, EMAIL, LAST_SEEN, SPENT, TIER, USERNAME
from app.imports.values import BadCell, DateOrder, Mark

REMEMBERED = 4096
BROKEN = "\0"
"""Stands before the text of a line whose quotes are wrong: no file may hold it."""
FIRST = itemgetter(0)
USUAL_HANDLE = re.compile(r"[a-z0-9._-]{1,100}")
USUAL_NAME = re.compile(r"\w(?:[\w .-]{0,198}\w)?")
USUAL_EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,60}(?:\.[A-Za-z0-9-]{1,60}){1,2}")
Record = tuple[int, list[str]]


class Row(NamedTuple):
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
        """Whom the row is about: equal for two rows about the same fan. Handles know no spaces."""
        return self.handle or f" {self.name}"


class Rejected(NamedTuple):
    """A row that can't be taken: every fault as (field, what is wrong), and its cells as they were."""

    line: int
    faults: list[tuple[str, str]]
    cells: list[str]


class Fault(NamedTuple):
    """Stands where the value of a bad cell would."""

    field: str
    message: str


class Reading(dict[str, Any]):
    """Cell → value or Fault, for one column; remembers what it read. `faulty`: whether a Fault has been given out."""

    def __init__(
        self, field: str, index: int | None, take: Callable[[str], Any], nothing: Any, usual: re.Pattern[str] | None
    ) -> None:
        super().__init__()
        self.field, self.index, self.take, self.nothing = field, index, take, nothing
        self.usual = usual.fullmatch if usual is not None else None
        self.blank = frozenset({""}) if field == DISPLAY_NAME else values.BLANK
        self.faulty = False

    def __missing__(self, cell: str) -> Any:
        # Names differ from row to row: it isn't worth while to remember those that need no work.
        if self.usual is not None and self.usual(cell) is not None and cell not in self.blank:
            return cell
        bare = values.text(cell)
        if not bare or (len(bare) <= values.LONGEST_BLANK and bare.casefold() in self.blank):
            return self._remember(cell, self.nothing)
        try:
            return self._remember(cell, self.take(bare))
        except BadCell as error:
            self.faulty = True
            return Fault(self.field, f"{columns.LABELS[self.field]} {error}")

    def _remember(self, cell: str, value: Any) -> Any:
        if len(self) < REMEMBERED:
            self[cell] = value
        return value

    def one(self, cells: Sequence[str]) -> Any:
        """What one row says in this column."""
        return self.nothing if self.index is None or self.index >= len(cells) else self[cells[self.index]]

    def column(self, rows: Iterable[Sequence[str]]) -> Iterable[Any]:
        """What rows say that all reach as far as this column."""
        if self.index is None:
            return repeat(self.nothing)
        return list(map(self.__getitem__, map(itemgetter(self.index), rows)))


class Readings(tuple[Reading, ...]):
    """How the columns of a file of `width` columns are read, in the order of Row."""

    width: int

    @classmethod
    def of(cls, width: int, found: Mapping[str, int], order: DateOrder | None, mark: Mark | None) -> "Readings":
        """`found`: field → index of its column."""
        ways: tuple[tuple[str, Callable[[str], Any], Any, re.Pattern[str] | None], ...] = (
            (USERNAME, values.handle, "", USUAL_HANDLE),
            (DISPLAY_NAME, partial(values.line, most=values.NAME_LENGTH), "", USUAL_NAME),
            (EMAIL, values.email, "", USUAL_EMAIL),
            (TIER, partial(values.line, most=values.TIER_LENGTH), "", None),
            (SPENT, partial(values.cents, mark=mark), None, None),
            (LAST_SEEN, partial(values.moment, order=order), None, None),
        )
        made = cls(Reading(name, found.get(name), take, nothing, usual) for name, take, nothing, usual in ways)
        made.width = width
        return made

    def rows(self, records: Sequence[Record]) -> Iterator[Row | Rejected]:
        """Every record as a row, or what is wrong with it."""
        return self._alike(records) or (self.row(line, cells) for line, cells in records)

    def _alike(self, records: Sequence[Record]) -> Iterator[Row] | None:
        """All of them at once; None when one isn't like the others, so that each has to be looked at."""
        lines, cells = zip(*records, strict=True)
        if set(map(len, cells)) != {self.width} or BROKEN in map(FIRST, cells):
            return None
        for reading in self:
            reading.faulty = False
        handles, names, *others = [reading.column(cells) for reading in self]
        if any(reading.faulty for reading in self) or not all(map(_either, handles, names)):
            return None
        return map(Row._make, zip(lines, handles, names, *others, cells, strict=False))

    def row(self, line: int, cells: list[str]) -> Row | Rejected:
        """One record by itself."""
        if cells[0] == BROKEN:
            return Rejected(line, [("row", "The quotes on this line are wrong")], cells[1:])
        if len(cells) > self.width and any(cells[self.width :]):
            fault = f"The row has {len(cells)} cells, the header {self.width}: is a cell with a separator not quoted?"
            return Rejected(line, [("row", fault)], cells)
        found = [reading.one(cells) for reading in self]
        faults = [(value.field, value.message) for value in found if isinstance(value, Fault)]
        if not faults and not (found[0] or found[1]):
            faults.append((USERNAME, "Username is required, or a Display Name"))
        return Rejected(line, faults, cells) if faults else Row._make((line, *found, cells))


def _either(handle: str, name: str) -> str:
    return handle or name
