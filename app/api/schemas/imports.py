"""Imports of fans from CSV files."""

from typing import Literal

from pydantic import Field

from app.api.schemas.base import Answer, File, Form, QueryId
from app.imports.models import Import
from app.imports.queries import Fault
from app.imports.reader import Wishes

LISTED = 100


class ImportForm(Form):
    """A CSV file of fans."""

    file: File = Field(description="CSV with a header line: at least a column Username or Display Name; at most 10 MB")
    account_id: QueryId | None = Field(default=None, description="Your only account when left out")
    date_order: Literal["mdy", "dmy"] | None = Field(
        default=None,
        description="How dates such as 3/4/2026 are meant, where the file's other dates don't prove it; mdy when left "
        "out, but needed when the file is of European make (semicolons, decimal commas)",
    )

    def wishes(self) -> Wishes:
        """What the caller says about the file."""
        return Wishes(date_order=self.date_order)


class RowFault(Answer):
    """One thing that is wrong with one row."""

    row: int = Field(description="The line of the file; the header is on line 1")
    field: str
    error: str


class Summary(Answer):
    """What became of the rows: `totalRows` = `successfulInserts` + `updated` + `skipped`, once the import is done."""

    total_rows: int
    successful_inserts: int
    updated: int
    skipped: int = Field(description="Rows that changed nothing: everything was known already, or they are faulty")
    errors: list[RowFault] = Field(description=f"The first {LISTED}; one more line says how many there are beyond")

    @classmethod
    def of(cls, found: Import, faults: list[Fault]) -> "Summary":
        """The summary so far; `faults` in the file's order, at most LISTED."""
        errors = [RowFault(row=fault.line, field=fault.field, error=fault.message) for fault in faults]
        if found.faults > len(errors) and errors:
            more = f"and {found.faults - len(errors):,} more: the import's page shows them"
            errors.append(RowFault(row=errors[-1].row, field="file", error=more))
        return cls(
            total_rows=found.total_rows,
            successful_inserts=found.inserted,
            updated=found.updated,
            skipped=found.unchanged + found.rejected,
            errors=errors,
        )


class Imported(Answer):
    """How an import stands."""

    success: bool = True
    import_id: int
    status: Literal["processing", "completed", "failed"] = Field(
        description="failed: it was broken off again and again; what the summary counts is in, and the rest may be "
        "sent again"
    )
    summary: Summary


class Importing(Answer):
    """An import that is too long for one request."""

    success: bool = True
    import_id: int
    status: Literal["processing"] = "processing"
    status_url: str = Field(examples=["/api/onlyfans/import/42"])
