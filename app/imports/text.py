"""From the bytes of a file to lines of text: which encoding it is, and what is no text at all."""

import codecs
import io
from collections.abc import Iterator
from itertools import islice

from app.errors import Invalid, Problem

LARGEST_FILE = 10 * 1024 * 1024
LONGEST_RECORD = 1_000_000
MOST_LINES = 1_000_000
PIECE = 65_536
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 little-endian",
    "utf-16-be": "UTF-16 big-endian",
    "cp1252": "Windows-1252",
}
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
OTHER_KINDS = (
    (b"PK\x03\x04", "This is an Excel workbook or another packed file: save the sheet as CSV and choose that file"),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel workbook: save the sheet as CSV and choose that file"),
    (b"%PDF", "This is a PDF: CSV files are needed"),
    (b"\x89PNG", "This is a picture: CSV files are needed"),
    (b"\xff\xd8\xff", "This is a picture: CSV files are needed"),
    (b"\x1f\x8b", "This file is packed: unpack it first"),
)


class Unreadable(Invalid):
    """The file as a whole can't be read; its one problem says why and, where there is one, names the line."""

    def __init__(self, message: str, field: str = "file") -> None:
        super().__init__([Problem(field, message)])


def encoding(data: bytes) -> str:
    """A key of ENCODINGS that all of `data` can be decoded with; raises Unreadable."""
    _refuse_what_is_no_text(data)
    found = next((name for mark, name in MARKS if data.startswith(mark)), None) or _of_two_bytes(data)
    place = _fault(data, found or "utf-8")
    if place is None:
        return found or "utf-8"
    # Text of another encoding hardly ever begins as good UTF-8: then this is UTF-8 with a fault in it.
    if found is not None or not data[:place].isascii():
        raise Unreadable(f"Line {_line(data, place)} is broken {ENCODINGS[found or 'utf-8']}: save it as CSV UTF-8")
    if _fault(data, "cp1252") is not None:
        raise Unreadable("The file is text of an unknown encoding: save it as CSV UTF-8")
    return "cp1252"


def _refuse_what_is_no_text(data: bytes) -> None:
    if not data.strip():
        raise Unreadable("The file is empty")
    if len(data) > LARGEST_FILE:
        raise Unreadable("The file is larger than 10 MB: split it")
    for beginning, message in OTHER_KINDS:
        if data.startswith(beginning):
            raise Unreadable(message)


def _of_two_bytes(data: bytes) -> str | None:
    """UTF-16 without its mark, told by the first two characters of a header."""
    if len(data) < 4 or len(data) % 2:
        return None
    if data[1] == data[3] == 0 and data[0] and data[2]:
        return "utf-16-le"
    if data[0] == data[2] == 0 and data[1] and data[3]:
        return "utf-16-be"
    return None


def _fault(data: bytes, name: str) -> int | None:
    """Where `data` can't be decoded, or None; decodes in pieces, so that memory stays small."""
    decoder = codecs.getincrementaldecoder(name)()
    for start in range(0, len(data), PIECE):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + PIECE], final=start + PIECE >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


class Lines:
    """The lines of a file, as the csv reader takes them; whoever has read a whole record says so by `restart`."""

    def __init__(self, data: bytes, encoding: str) -> None:
        self.stream = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
        self.number = 0
        self.taken = 0
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        """Raises Unreadable at a NUL, a record without end, or one line too many."""
        while line := self.stream.readline(LONGEST_RECORD + 1):
            self.number += 1
            self.taken += len(line)
            if self.taken > LONGEST_RECORD:
                raise Unreadable(f"Line {self.number} ends a row of more than 1,000,000 characters: an open quote?")
            if "\0" in line:
                raise Unreadable(f"Line {self.number} holds a NUL character: this is no plain CSV")
            if self.number > MOST_LINES:
                raise Unreadable("The file has more than 1,000,000 lines: split it")
            self.last = line
            yield line

    def restart(self) -> None:
        """A new record begins."""
        self.taken = 0

    def first(self) -> str:
        """The first line, without moving on."""
        line = next(iter(islice(self, 1)), "")
        self.stream.seek(0)
        self.number = self.taken = 0
        return line
