"""From the text of a cell to a value: money, moments, names as people and programs spell them."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

DateOrder = Literal["mdy", "dmy"]
Mark = Literal[".", ","]
NAME_LENGTH, TIER_LENGTH, EMAIL_LENGTH = 200, 50, 254
MOST_CENTS = 10**12
LONGEST = 60
YEARS = range(1990, 2101)
NO_AMOUNT, NO_DATE = "must be an amount such as 1234.50", "must be a date such as 2026-11-01"
NO_DAY, OUT_OF_REACH = "is no day of the calendar", "is too long ago or too far ahead"
BLANK = frozenset({"", "-", "–", "—", "n/a", "null", "none", "never", "jamais", "nie", "nunca"})
LONGEST_BLANK = max(map(len, BLANK))
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PROFILE = re.compile(r"(?:https?://)?(?:www\.)?onlyfans\.com/", re.IGNORECASE)
HANDLE = re.compile(r"[a-z0-9._-]{1,100}")
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f.]+(?:\.[^@\s\x00-\x1f\x7f-\x9f.]+)+")
ARMED = tuple(f"'{mark}" for mark in "=+-@\t\r")

CURRENCY = re.compile(r"US\$|[$€£]|USD|EUR|GBP|CHF", re.IGNORECASE)
SEPARATOR = re.compile(r"[.,'’\s]")
DIGITS = re.compile(r"[0-9]+")
USUAL_AMOUNT = re.compile(r"\$?([0-9]{1,10}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.([0-9]{2}))?")
FRACTION = re.compile(r"[.,][0-9]{1,2}(?![0-9.,])")

TIME = r"""
    (?:[T\s,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?
    (?:\s?(?P<half>[ap])\.?m\.?)?
    (?:\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"""
FLAGS = re.VERBOSE | re.IGNORECASE | re.ASCII
USUAL_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2})?)?")
YEAR_FIRST = re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + TIME, FLAGS)
NUMBERS = re.compile(r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<next>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)" + TIME, FLAGS)
DAY_MONTH = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.)?[\s-](?:de\s)?(?P<name>[a-z]{3,12})\.?,?[\s-](?:de\s)?(?P<year>\d{4})"
    + TIME,
    FLAGS,
)
MONTH_DAY = re.compile(r"(?P<name>[a-z]{3,12})\.?\s(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s(?P<year>\d{4})" + TIME, FLAGS)
MONTHS = {
    "jan": 1, "ene": 1, "feb": 2, "fev": 2, "mar": 3, "apr": 4, "avr": 4, "abr": 4, "may": 5, "mai": 5, "jun": 6,
    "juin": 6, "jul": 7, "juil": 7, "aug": 8, "aou": 8, "ago": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12,
    "dez": 12, "dic": 12,
}  # fmt: skip


class BadCell(ValueError):
    """Why a cell can't be taken: the rest of a sentence that begins with the column's name."""


def text(cell: str) -> str:
    """The cell without space around it, and without the apostrophe that exports put before = + - @."""
    bare = cell.strip()
    return bare[1:] if bare.startswith(ARMED) else bare


def handle(cell: str) -> str:
    """`@Tom`, `onlyfans.com/Tom` → `tom`."""
    found = PROFILE.sub("", cell, count=1).removeprefix("@").rstrip("/")
    found = found.lower() if found.isascii() else ""
    if not HANDLE.fullmatch(found):
        raise BadCell("must be 1 to 100 letters, digits, dots, _ or -")
    return found


def line(cell: str, most: int) -> str:
    """One line of at most `most` printable characters."""
    if len(cell) > most:
        raise BadCell(f"must be at most {most} characters")
    if CONTROL.search(cell):
        raise BadCell("must be one line of text: is there a quote that nobody closed?")
    return cell


def email(cell: str) -> str:
    """An e-mail address."""
    if len(cell) > EMAIL_LENGTH or not EMAIL.fullmatch(cell):
        raise BadCell("must be an e-mail address")
    return cell


def cents(cell: str, mark: Mark | None) -> int:
    """`$1,234.50`, `1.234,50 €`, `1 234,5` → 123450. `mark`: what the file's other amounts put before cents."""
    if (found := USUAL_AMOUNT.fullmatch(cell)) is not None and (found[2] or mark != ","):
        return int(found[1].replace(",", "") + (found[2] or "00"))
    if len(cell) > LONGEST:
        raise BadCell(NO_AMOUNT)
    plain = CURRENCY.sub("", cell).strip()
    if plain[:1] in ("-", "−", "("):
        raise BadCell("must not be negative")
    whole, fraction = _split(SEPARATOR.split(plain), SEPARATOR.findall(plain), mark)
    found_cents = int(whole) * 100 + int(fraction[:2].ljust(2, "0")) + (fraction[2:3] >= "5")
    if found_cents > MOST_CENTS:
        raise BadCell("is too large")
    return found_cents


def _split(pieces: list[str], marks: list[str], mark: Mark | None) -> tuple[str, str]:
    """Digits before and after the decimal mark; raises BadCell for what is no amount."""
    if not all(map(DIGITS.fullmatch, pieces)):
        raise BadCell(NO_AMOUNT)
    *others, last = marks or [""]
    whole, fraction = pieces, ""
    if last in (".", ",") and last not in others and (others or not _groups(pieces, last, mark)):
        *whole, fraction = pieces
    else:
        others = marks
    grouped = len(set(others)) == 1 and len(whole[0]) <= 3 and all(len(piece) == 3 for piece in whole[1:])
    if len(whole) > 1 and not grouped:
        raise BadCell(NO_AMOUNT)
    return "".join(whole), fraction


def _groups(pieces: list[str], last: str, mark: Mark | None) -> bool:
    """Whether the only mark groups thousands: `1,234`; `1.234` may be either, so the file's other amounts decide."""
    if len(pieces[1]) != 3 or len(pieces[0]) > 3 or pieces[0].startswith("0"):
        return False
    if mark is None and last == ".":
        raise BadCell(f"may be {pieces[0]}{pieces[1]} or {pieces[0]}.{pieces[1][:2]}: write it with two decimals")
    return last != mark


def decimal_mark(cell: str) -> Mark | None:
    """What stands before the cents in this amount, or None where it can't be told."""
    found = FRACTION.search(cell)
    if found is None:
        return None
    return "." if found[0][0] == "." else ","


def moment(cell: str, order: DateOrder | None) -> datetime:
    """A date, or date and time, in UTC where no zone is named; `order` tells 3/4/2026 from 4/3/2026."""
    if USUAL_MOMENT.fullmatch(cell) is not None:
        return _usual_moment(cell)
    if len(cell) > LONGEST:
        raise BadCell(NO_DATE)
    cell = cell if cell.isascii() else " ".join(cell.split())
    found = YEAR_FIRST.fullmatch(cell)
    if found is not None:
        return _moment(found, int(found["month"]), int(found["day"]))
    if (found := NUMBERS.fullmatch(cell)) is not None:
        return _by_numbers(found, order)
    bare = "".join(c for c in unicodedata.normalize("NFKD", cell) if not unicodedata.combining(c))
    found = DAY_MONTH.fullmatch(bare) or MONTH_DAY.fullmatch(bare)
    if found is None:
        raise BadCell(NO_DATE)
    name = found["name"].lower()
    month = MONTHS.get(name[:4] if name.startswith("jui") else name[:3])
    if month is None:
        raise BadCell(NO_DATE)
    return _moment(found, month, int(found["day"]))


def _usual_moment(cell: str) -> datetime:
    try:
        found = datetime.fromisoformat(cell)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCell(NO_DAY) from None
    if found.year not in YEARS:
        raise BadCell(OUT_OF_REACH)
    return found


def _by_numbers(found: re.Match[str], order: DateOrder | None) -> datetime:
    first, following = int(found["first"]), int(found["next"])
    if found["mark"] == ".":
        order = "dmy"
    if order is None:
        raise BadCell("may be two different days: write it as 2026-11-01")
    day, month = (first, following) if order == "dmy" else (following, first)
    if month > 12 >= day and found["mark"] != ".":
        raise BadCell("has day and month the other way round than the rest of the file")
    return _moment(found, month, day)


def _moment(found: re.Match[str], month: int, day: int) -> datetime:
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            raise BadCell("is no time of day")
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    if year not in YEARS:
        raise BadCell(OUT_OF_REACH)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(found["zone"])).astimezone(UTC)
    except ValueError:
        raise BadCell(NO_DAY) from None


def _zone(name: str | None) -> timezone:
    if name is None or name[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(name[1:3]), minutes=int(name[-2:]))
    return timezone(offset if name[0] == "+" else -offset)


def date_order(cell: str) -> DateOrder | Literal["either"] | None:
    """What a date's numbers prove about their order; None for one that needs no proof."""
    found = NUMBERS.match(cell)
    if found is None or found["mark"] == ".":
        return None
    first, following = int(found["first"]), int(found["next"])
    if first > 12 >= following:
        return "dmy"
    if following > 12 >= first:
        return "mdy"
    return None if first == following else "either"
