"""Importing fans from CSV files."""

from flask import Blueprint, url_for

from app.accounts.models import User
from app.api.contract import contract
from app.api.messages import NO_ACCOUNT, account_named
from app.api.schemas.base import ForAccount
from app.api.schemas.imports import LISTED, Imported, ImportForm, Importing, Summary
from app.errors import NotFound
from app.imports import queries, service
from app.imports.models import Import, Status

blueprint = Blueprint("api_imports", __name__, url_prefix="/api/onlyfans/import")
TOO_LARGE = "The file is larger than 10 MB"
NO_FORM = "The body is not multipart/form-data"


@blueprint.post("/csv")
@contract(
    "Import fans",
    answers={200: Imported, 202: Importing},
    limit="10 per minute",
    refusals={404: NO_ACCOUNT, 413: TOO_LARGE, 415: NO_FORM},
)
def import_csv(viewer: User, query: ForAccount, body: ImportForm) -> Imported | tuple[Importing, int]:
    """Insert the fans of a file and bring up to date those who are known; a faulty row stops no other one.

    A row with a username meets the fan of that handle, one with only a display name the fan of that very name without
    a handle. The same file sent twice changes nothing. A long file is worked off in the background (202).
    """
    account_id = account_named(query.account_id, body.account_id)
    begun = service.load(viewer, account_id, body.file.name, body.file.content, body.wishes())
    if begun.status == Status.PROCESSING:
        status_url = url_for("api_imports.read_import", import_id=begun.id)
        return Importing(import_id=begun.id, status_url=status_url), 202
    return _answer(begun)


@blueprint.get("/<number:import_id>")
@contract("How an import stands", answers={200: Imported})
def read_import(import_id: int, viewer: User) -> Imported:
    """The summary counts what is done so far."""
    found = queries.find(viewer, import_id)
    if found.status == Status.DRAFT:
        raise NotFound("Import not found")
    return _answer(found)


def _answer(found: Import) -> Imported:
    summary = Summary.of(found, queries.faults(found.id, LISTED))
    return Imported(import_id=found.id, status=found.status, summary=summary)  # type: ignore[arg-type]
