"""From the bytes of a request to checked models; what can't be read is refused with every fault."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.api import faults
from app.api.schemas.base import SentFile, label
from app.errors import Invalid, Problem

LARGEST_BODY = 1024 * 1024
LARGEST_FILE = 10 * 1024 * 1024
Model = TypeVar("Model", bound=BaseModel)


def refuse_broken_text() -> None:
    """Raises Invalid when the query is no UTF-8: its broken characters would reach us as other ones."""
    try:
        unquote_to_bytes(request.query_string).decode()
    except UnicodeDecodeError:
        raise Invalid([Problem("query", "The query is not valid UTF-8")]) from None


def query(model: type[Model]) -> Model:
    """The query as `model`; raises Invalid with every fault."""
    return _of_single_values(model, request.args.to_dict(flat=False))


def form(model: type[Model]) -> Model:
    """The multipart form as `model`; raises Invalid with every fault; 413 for a file above 10 MB, 415 for no form."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType
    given: dict[str, list[Any]] = request.form.to_dict(flat=False)
    for name, files in request.files.to_dict(flat=False).items():
        given.setdefault(name, []).extend(_sent(file) for file in files)
    return _of_single_values(model, given)


def _sent(file: FileStorage) -> SentFile:
    with file.stream:
        content = file.stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise RequestEntityTooLarge
    return SentFile(file.filename or "", content)


def _of_single_values(model: type[Model], given: Mapping[str, list[Any]]) -> Model:
    doubled = [Problem(name, f"{label(name)} was given more than once") for name in given if len(given[name]) > 1]
    try:
        found = model.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise Invalid(doubled + faults.problems(error)) from None
    if doubled:
        raise Invalid(doubled)
    return found


def body(model: type[Model], at: datetime) -> Model:
    """The JSON body as `model`, judged as if it came `at` that time.

    Raises Invalid with every fault; 413 above 1 MB, 415 for anything but JSON.
    """
    # A body without a length is cut off at the maximum: one byte more tells a large one from a whole one.
    request.max_content_length = LARGEST_BODY + 1
    raw = request.get_data(cache=False)
    if len(raw) > LARGEST_BODY:
        raise RequestEntityTooLarge
    if not raw:
        raise Invalid([Problem("body", "A JSON object is required")])
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise UnsupportedMediaType
    try:
        found = model.model_validate_json(raw, context=at)
        json.loads(raw, object_pairs_hook=_refuse_doubles)
    except ValidationError as error:
        raise Invalid(faults.problems(error)) from None
    return found


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """One parser takes the first of two equal keys, the next one the last: nobody may have to guess."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        doubled = [name[: faults.NAME_LENGTH] for name, times in counted.items() if times > 1]
        raise Invalid([Problem(name, f"{label(name)} was given more than once") for name in doubled[: faults.MOST]])
    return found
