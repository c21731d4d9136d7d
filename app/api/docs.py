"""The document of this API: as JSON for programs, as a page for people; both work without the internet."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from app import throttle
from app.api import openapi
from app.throttle import Limit

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")
METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table: a parameter or a property, and the object that it leads to, if any."""

    name: str
    kind: str
    link: str | None
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Section:
    """One operation as the page shows it."""

    method: str
    path: str
    operation: dict[str, Any]
    parameters: list[Field]
    body: str | None
    example: str | None
    responses: list[tuple[str, str, str | None]]


@blueprint.get("/openapi.json")
@Limit(text="60 per minute", key=throttle.address)
def document() -> Response:
    """The OpenAPI 3.1 document."""
    response = Response(json.dumps(_document(), ensure_ascii=False), mimetype="application/json")
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest())
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


@blueprint.get("/docs")
@Limit(text="60 per minute", key=throttle.address)
def page() -> str:
    """The same document, readable."""
    found = _document()
    objects = {name: list(_properties(schema)) for name, schema in found["components"]["schemas"].items()}
    return render_template("api/docs.html", document=found, sections=list(_sections(found)), objects=objects)


def _document() -> dict[str, Any]:
    found: dict[str, Any] | None = current_app.extensions.get("openapi")
    if found is None:
        found = current_app.extensions["openapi"] = openapi.document(current_app)
    return found


def _sections(found: dict[str, Any]) -> Iterator[Section]:
    shared = found["components"]["responses"]
    for path, methods in found["paths"].items():
        for method in (name for name in METHODS if name in methods):
            operation = methods[method]
            body = _content_of(operation.get("requestBody"))
            examples = found["components"]["schemas"][body].get("examples") if body else None
            answers = {status: shared.get(status, given) if "$ref" in given else given
                       for status, given in operation["responses"].items()}  # fmt: skip
            yield Section(
                method=method.upper(),
                path=path,
                operation=operation,
                parameters=[_parameter(one) for one in operation["parameters"]],
                body=body,
                example=json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else None,
                responses=[(status, one["description"], _content_of(one)) for status, one in answers.items()],
            )


def _content_of(part: dict[str, Any] | None) -> str | None:
    if part is None or "content" not in part:
        return None
    schema = next(iter(part["content"].values()))["schema"]
    return _name_of(schema.get("anyOf", [schema])[0])


def _name_of(schema: dict[str, Any]) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def _parameter(given: dict[str, Any]) -> Field:
    kind, _ = _kind(given["schema"])
    return Field(
        f"{given['name']} ({given['in']})", kind, None, given.get("required", False), given.get("description", "")
    )


def _properties(schema: dict[str, Any]) -> Iterator[Field]:
    for name, value in schema.get("properties", {}).items():
        kind, link = _kind(value)
        yield Field(name, kind, link, name in schema.get("required", []), value.get("description", ""))


def _kind(schema: dict[str, Any]) -> tuple[str, str | None]:
    """What a value is, in words, and the object behind it."""
    if name := _name_of(schema):
        return name, name
    if "items" in schema:
        kind, link = _kind(schema["items"])
        return f"list of {kind}", link
    if choices := schema.get("anyOf") if "type" not in schema else None:
        kinds = [_kind(choice) for choice in choices]
        return " or ".join(kind for kind, _ in kinds), next((link for _, link in kinds if link), None)
    if "enum" in schema or "const" in schema:
        return " | ".join(str(value) for value in schema.get("enum", [schema.get("const")])), None
    kind = schema.get("type", "anything")
    return (f"{kind} ({schema['format']})" if "format" in schema else kind), None
