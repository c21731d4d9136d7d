"""The OpenAPI 3.1 document, made from the contracts that check the requests."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from app.api.contract import SERVED, Operation, allowance
from app.api.errors import Refusal
from app.api.once import HEADER
from app.api.paths import SCHEMAS
from app.api.schemas.files import CsvFile

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]
TITLE = "Huntaze CRM"
ABOUT = """Everything that the pages do, for programs. Times are UTC in ISO 8601, money is in cents.

Errors have one shape, `{"success": false, "error": "…", "details": [{"field": "…", "message": "…"}]}`, on every path,
unknown ones (404), wrong methods (405, with `Allow`) and failures of ours (500, with `X-Request-Id`) included;
`details` lists all faults of the input at once. What belongs to somebody else answers as if it weren't there: 404."""
BEARER = "An access token of `/api/auth/token`, or a personal token that was made on the account page"
REASONS = {
    400: "The input is wrong; `details` lists every fault",
    401: "No access token, or one that is not valid (any more)",
    413: "The body is larger than 1 MB",
    415: "The body is not application/json",
    422: f"This `{HEADER}` was used before for another request",
    429: "Too many requests: wait for `Retry-After` seconds",
    503: "A part that is needed is down",
}
COUNT: Json = {"schema": {"type": "integer", "minimum": 0}}
LIMIT_HEADERS: Json = {
    "RateLimit-Limit": {"description": "Requests allowed in a window", **COUNT},
    "RateLimit-Remaining": {"description": "Requests left in this window", **COUNT},
    "RateLimit-Reset": {"description": "Seconds until the window ends", **COUNT},
}
KEY_PARAMETER: Json = {
    "name": HEADER,
    "in": "header",
    "description": "The same key and request within 24 hours have one effect, however often they are sent",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"},
}


def document(app: Flask) -> Json:
    """The whole document for `app`."""
    served = list(_served(app))
    schemas = _schemas(operation for _, _, operation in served)
    paths: dict[str, Json] = {}
    for rule, method, operation in served:
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "{" + found[1] + "}", rule.rule)
        paths.setdefault(path, {})[method] = _operation(app, rule, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": BEARER}},
            "responses": {str(status): _refusal(status, reason) for status, reason in REASONS.items()},
        },
    }


def _served(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        operation = getattr(app.view_functions[rule.endpoint], SERVED, None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if operation is not None:
                yield rule, method.lower(), operation


def _schemas(operations: Iterable[Operation]) -> Json:
    wanted: dict[tuple[type[BaseModel], Mode], None] = {(Refusal, "serialization"): None}
    for operation in operations:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        wanted.update({(model, "serialization"): None for model in operation.answers.values()})
    _, found = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    schemas: Json = found["$defs"]
    return schemas


def _operation(app: Flask, rule: Rule, operation: Operation) -> Json:
    with app.app_context():
        limit = allowance(operation)
    whom = "user" if operation.bearer else "address"
    found: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.description}\n\nLimit: {limit}, counted per {whom}.",
        "tags": [rule.endpoint.partition(".")[0].removeprefix("api_")],
        "security": [{"bearer": []}] if operation.bearer else [],
        "parameters": list(_parameters(rule, operation)),
        "responses": _responses(rule, operation),
    }
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": _content(operation.body, _kind(operation))}
    return found


def _parameters(rule: Rule, operation: Operation) -> Iterator[Json]:
    for name, converter in rule._converters.items():
        yield {"name": name, "in": "path", "required": True, "schema": SCHEMAS[type(converter)]}
    if operation.query is not None:
        schema = operation.query.model_json_schema()
        for name, value in schema["properties"].items():
            required = name in schema.get("required", [])
            yield {"name": name, "in": "query", "required": required, **_described(value)}
    if operation.idempotent:
        yield KEY_PARAMETER


def _described(schema: Json) -> Json:
    """A query parameter's schema; what is left out of an address is not null."""
    plain = {key: value for key, value in schema.items() if key not in ("anyOf", "title", "description")}
    for choice in schema.get("anyOf", []):
        plain |= choice if choice.get("type") != "null" else {}
    if plain.get("default", ...) is None:
        del plain["default"]
    return {"description": schema.get("description", ""), "schema": plain}


def _responses(rule: Rule, operation: Operation) -> Json:
    found: Json = {
        str(status): {"description": operation.summary, "headers": LIMIT_HEADERS, "content": _answer(model)}
        for status, model in operation.answers.items()
    }
    if "GET" in (rule.methods or ()) and "200" in found:
        found["304"] = {"description": "Nothing changed since the answer whose ETag came back in If-None-Match"}
    refusals = {status: {"$ref": f"#/components/responses/{status}"} for status in _usual(operation)}
    refusals |= {status: _refusal(status, reason) for status, reason in operation.refusals.items()}
    if rule._converters and 404 not in refusals:
        refusals[404] = _refusal(404, "It doesn't exist, or it isn't yours")
    for status in sorted(refusals):
        if str(status) in found:
            shapes = [_content(model)["application/json"]["schema"] for model in (operation.answers[status], Refusal)]
            found[str(status)]["content"] = {"application/json": {"schema": {"anyOf": shapes}}}
        else:
            found[str(status)] = refusals[status]
    return found


def _answer(model: type[BaseModel]) -> Json:
    return _content(model, "text/csv" if issubclass(model, CsvFile) else "application/json")


def _usual(operation: Operation) -> list[int]:
    """The refusals that follow from what an operation takes."""
    statuses = [429, 503]
    if operation.bearer:
        statuses.append(401)
    if operation.body is not None or operation.query is not None:
        statuses.append(400)
    if operation.body is not None:
        statuses += [413, 415]
    if operation.idempotent:
        statuses.append(422)
    return statuses


def _refusal(status: int, reason: str) -> Json:
    headers: Json = {}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    if status == 429:
        headers = {"Retry-After": {"description": "Seconds to wait", **COUNT}, **LIMIT_HEADERS}
    found: Json = {"description": reason, "content": _content(Refusal)}
    return found | {"headers": headers} if headers else found


def _kind(operation: Operation) -> str:
    return "multipart/form-data" if operation.form else "application/json"


def _content(model: type[BaseModel], kind: str = "application/json") -> Json:
    return {kind: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
