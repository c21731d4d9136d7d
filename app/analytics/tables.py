"""Tables of figures: the same rows behind a chart, in a file, and in the file of another chart; pure."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from app.analytics.audience import TopFan
from app.analytics.buckets import Bucket
from app.analytics.cohorts import Cohort
from app.analytics.revenue import Money, Point
from app.earnings.models import Kind
from app.earnings.queries import Line

CURRENCY = "USD"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KINDS: dict[str, str] = {
    Kind.SUBSCRIPTION: "Subscriptions",
    Kind.TIP: "Tips",
    Kind.MESSAGE: "Paid messages",
    Kind.POST: "Posts",
    Kind.STREAM: "Streams",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
FLUSH_AT = 64 * 1024


class Cell(StrEnum):
    """What the cells of a column hold: money in cents, a share from 0 to 1, a length of time in seconds."""

    TEXT = "text"
    DAY = "day"
    TIME = "time"
    MONEY = "money"
    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, and what is in it."""

    title: str
    cell: Cell = Cell.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their columns; a cell without anything to say is None."""

    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]


GROSS, NET, PAYMENTS = Column("Gross", Cell.MONEY), Column("Net", Cell.MONEY), Column("Payments", Cell.COUNT)
MONEY = (GROSS, NET, PAYMENTS)
BEFORE = (Column("Gross one period before", Cell.MONEY), Column("Net one period before", Cell.MONEY))
DAYS = (Column("From", Cell.DAY), Column("To", Cell.DAY))


def trend(points: Iterable[Point]) -> Table:
    """Revenue over time, beside the period before."""
    rows = [
        (point.bucket.first, point.bucket.last, *_money(point.money), point.before.gross, point.before.net)
        for point in points
    ]
    return Table((*DAYS, *MONEY, *BEFORE), rows)


def top_fans(found: Iterable[TopFan], names: dict[int, str]) -> Table:
    """Who paid the most; `names` are those of the accounts."""
    columns = (Column("Fan"), Column("Handle"), Column("Account"), *MONEY, Column("Gross ever", Cell.MONEY))
    rows = [(fan.name, fan.handle, names.get(fan.account_id, ""), *_money(fan.money), fan.value_cents) for fan in found]
    return Table(columns, rows)


def by_type(sums: dict[str, Money]) -> Table:
    """Revenue by what was paid for."""
    rows = [(label, *_money(sums.get(kind, Money()))) for kind, label in KINDS.items()]
    return Table((Column("Type"), *MONEY), rows)


def by_hour(sums: dict[tuple[int, int], Money]) -> Table:
    """Revenue by weekday and hour, hours without payments left out."""
    rows = [(WEEKDAYS[weekday], f"{hour:02}:00", *_money(money)) for (weekday, hour), money in sorted(sums.items())]
    return Table((Column("Weekday"), Column("Hour"), *MONEY), rows)


def active(found: Iterable[tuple[Bucket, int]]) -> Table:
    """Fans who paid, over time."""
    return Table((*DAYS, Column("Active fans", Cell.COUNT)), [(one.first, one.last, count) for one, count in found])


def cohorts(found: Iterable[Cohort]) -> Table:
    """Who stayed, by the month of their first payment."""
    columns = [Column("First paid in"), Column("Fans", Cell.COUNT)]
    rows = [(f"{cohort.month:%Y-%m}", cohort.size, *_shares(cohort)) for cohort in found]
    most = max((len(row) for row in rows), default=2)
    columns += [Column(f"Month {number}", Cell.SHARE) for number in range(1, most - 1)]
    return Table(columns, [(*row, *[None] * (most - len(row))) for row in rows])


def _shares(cohort: Cohort) -> list[float | None]:
    return [stayed / cohort.size if cohort.size else None for stayed in cohort.stayed[1:]]


def creators(rows: Iterable[tuple[str, Money, Money, int, int]]) -> Table:
    """Accounts beside each other: name, money, money one period before, fans who paid, fans."""
    columns = (Column("Creator"), *MONEY, *BEFORE, Column("Active fans", Cell.COUNT), Column("Fans", Cell.COUNT))
    return Table(
        columns,
        [(name, *_money(now), before.gross, before.net, payers, fans) for name, now, before, payers, fans in rows],
    )


def transactions(found: Iterable[tuple[str, ZoneInfo, Line]]) -> Table:
    """Single payments: the account's name, the time zone of its days, and the payment."""
    columns = (Column("Time", Cell.TIME), Column("Account"), Column("Type"), Column("Fan"), Column("Handle"))
    rows = (
        (
            line.received_at.astimezone(zone).isoformat(timespec="seconds"),
            name,
            KINDS[line.type],
            line.fan_name or "",
            line.fan_handle or "",
            line.gross_cents,
            line.net_cents,
            line.platform_id,
        )
        for name, zone, line in found
    )
    return Table((*columns, GROSS, NET, Column("Payment")), rows)


def _money(money: Money) -> tuple[int, int, int]:
    return money.gross, money.net, money.payments


def file(table: Table, zone_names: Sequence[str]) -> Iterator[str]:
    """The table as CSV, in pieces; its header names currency and time zones, and no cell can act as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([heading(column, zone_names) for column in table.columns])
    write = [WRITERS.get(column.cell, str) for column in table.columns]
    for row in table.rows:
        writer.writerow(["" if value is None else one(value) for one, value in zip(write, row, strict=True)])
        if buffer.tell() > FLUSH_AT:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def heading(column: Column, zone_names: Sequence[str]) -> str:
    """The column's title with its unit, or with the time zones of its days."""
    zones = " and ".join(zone_names[:3]) + (" and others" if len(zone_names) > 3 else "")
    units = {Cell.MONEY: CURRENCY, Cell.DAY: zones, Cell.TIME: zones, Cell.SECONDS: "seconds"}
    return f"{column.title} ({units[column.cell]})" if column.cell in units else column.title


def written(kind: Cell, value: Any) -> str:
    """A cell as it stands in a file: money as `-12.05`, shares as `0.9750`, text that is no formula."""
    return "" if value is None else WRITERS.get(kind, str)(value)


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


WRITERS: dict[Cell, Callable[[Any], str]] = {Cell.MONEY: _dollars, Cell.SHARE: "{:.4f}".format, Cell.TEXT: _harmless}
