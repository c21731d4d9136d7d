"""Answers that are files."""

from pydantic import RootModel


class CsvFile(RootModel[str]):
    """A table in UTF-8: its first line names the columns, with currency and time zone; text that begins like a formula
    has an apostrophe before it."""
