"""What stands above each route: what it takes and answers, who may call it and how often; OpenAPI is made of it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, TypeVar, get_type_hints

from flask import Response, current_app, g, request
from pydantic import BaseModel

import config
from app import idempotency
from app.accounts import api_tokens, tokens
from app.accounts.models import User
from app.api import kept, limits, reading
from app.api.once import Once, first_used, key
from app.api.schemas.base import Form
from app.clock import now
from app.errors import Invalid, NotSignedIn, Problem
from app.throttle import Limit

View = Callable[..., Response]
Handler = TypeVar("Handler", bound=Callable[..., Any])
SERVED = "operation"
ASKER = {"viewer", "proof"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The contract of one route. `answers`: status → model; `refusals`: status → why, beyond those that follow."""

    name: str
    summary: str
    description: str
    answers: Mapping[int, type[BaseModel]]
    refusals: Mapping[int, str]
    limit: str
    bearer: bool
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    idempotent: bool
    state: kept.State | None

    @property
    def form(self) -> bool:
        """Whether the body is a multipart form instead of JSON."""
        return self.body is not None and issubclass(self.body, Form)


def contract(
    summary: str,
    *,
    answers: Mapping[int, type[BaseModel]],
    limit: str = "60 per minute",
    bearer: bool = True,
    refusals: Mapping[int, str] | None = None,
    state: kept.State | None = None,
) -> Callable[[Handler], View]:
    """Turn a handler into a view that checks what its parameters ask for, by their names.

    `viewer` is the user, `proof` what tells who it is, `body` and `query` models, `once` the request's Idempotency-Key.
    The handler answers a model of `answers`, or `(model, status)` when several share one, or a whole response when it
    is a file. With `state`, answers are kept until that differs.
    """

    def bind(handler: Handler) -> View:
        hints = get_type_hints(handler)
        operation = Operation(
            name=handler.__name__,
            summary=summary,
            description=inspect.getdoc(handler) or "",
            answers=answers,
            refusals=refusals or {},
            limit=limit,
            bearer=bearer,
            body=hints.get("body"),
            query=hints.get("query"),
            idempotent="once" in hints,
            state=state,
        )

        @Limit(text=lambda: allowance(operation), key=limits.caller, unless=limits.lifted)
        @wraps(handler)
        def perform(**path: Any) -> Response:
            def make() -> Response:
                arguments = _read(operation, path) | {name: getattr(g, name) for name in hints.keys() & ASKER}
                return _respond(operation, handler(**path, **arguments))

            return _unless_they_have_it(_kept_or_made(operation, path, make))

        @wraps(handler)
        def view(**path: Any) -> Response:
            _identify(operation)
            return perform(**path)

        setattr(view, SERVED, operation)
        return view

    return bind


def allowance(operation: Operation) -> str:
    """The limit of an operation: what configuration says, else what its contract says."""
    configured: Mapping[str, str] = current_app.config["API_LIMITS"]
    return configured.get(operation.name, operation.limit)


def settings() -> config.Settings:
    """The settings of the app that serves this request."""
    found: config.Settings = current_app.extensions["settings"]
    return found


def signing_keys() -> tokens.Keys:
    """What access tokens are signed with here."""
    return tokens.Keys(settings().jwt_secret_key, settings().jwt_previous_secret_key)


def _token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedIn("Send an access token: Authorization: Bearer …")
    return token.strip()


def _identify(operation: Operation) -> None:
    """Find out who asks; where answers are kept, a token is only believed so far. Raises NotSignedIn."""
    if not operation.bearer:
        return
    token = _token()
    if token.startswith(api_tokens.PREFIX):
        _let_in(api_tokens.holder(token))
    elif operation.state is not None:
        g.proof = tokens.proof(token, signing_keys())
        g.caller = g.proof.viewer
    else:
        _let_in(tokens.holder(token, signing_keys()))


def _let_in(viewer: User) -> None:
    g.viewer, g.proof, g.caller = viewer, tokens.Proof.of(viewer), viewer.id


def _kept_or_made(operation: Operation, path: Mapping[str, Any], make: Callable[[], Response]) -> Response:
    known = _known(operation, path)
    if known is None:
        return make()
    response = known.answer()
    if response is None:
        response = make()
        known.keep(response, _state(operation, path))
    return response


def _known(operation: Operation, path: Mapping[str, Any]) -> kept.Known | None:
    """The state of what is asked for, which also tells whether the proof holds; else the usual way has to."""
    if operation.state is None:
        return None
    found = _state(operation, path)
    if found is None and "viewer" not in g:
        _let_in(tokens.holder(_token(), signing_keys()))
    return kept.Known(g.proof, found) if found else None


def _state(operation: Operation, path: Mapping[str, Any]) -> kept.Found:
    if operation.state is None:
        return None
    try:
        query = [reading.query(operation.query)] if operation.query else []
    except Invalid:
        return None
    return operation.state(g.proof, *query, **path)


@dataclass(slots=True)
class _Faults:
    found: list[Problem] = field(default_factory=list)

    def or_none(self, read: Callable[[], Any]) -> Any:
        """What `read` gives, or None and its faults kept."""
        try:
            return read()
        except Invalid as error:
            self.found += error.problems
            return None


def _read(operation: Operation, path: Mapping[str, Any]) -> dict[str, Any]:
    faults, arguments = _Faults(), dict[str, Any]()
    reading.refuse_broken_text()
    once_key = faults.or_none(key) if operation.idempotent else None
    if (query := operation.query) is not None:
        arguments["query"] = faults.or_none(lambda: reading.query(query))
    if (body := operation.body) is not None:
        before = first_used(g.caller, operation.name, once_key) if once_key is not None else None
        read = partial(reading.form, body) if operation.form else partial(reading.body, body, before or now())
        arguments["body"] = faults.or_none(read)
    if faults.found:
        raise Invalid(faults.found)
    if operation.idempotent:
        use = _use(operation, once_key, path, arguments) if once_key is not None else None
        arguments["once"] = Once(use)
    return arguments


def _use(operation: Operation, once_key: str, path: Mapping[str, Any], arguments: dict[str, Any]) -> idempotency.Use:
    """The same request is the same meaning: path, query and body after checking, not their spelling."""
    parts = [repr(sorted(path.items()))]
    parts += [arguments[part].model_dump_json() for part in ("query", "body") if part in arguments]
    return idempotency.Use(g.caller, operation.name, once_key, "\n".join(parts).encode())


def _respond(operation: Operation, outcome: Any) -> Response:
    if isinstance(outcome, Response):
        return outcome
    model, status = outcome if isinstance(outcome, tuple) else (outcome, next(iter(operation.answers)))
    response = Response(model.model_dump_json(), status, mimetype="application/json")
    if request.method == "GET" and status == 200:
        response.add_etag(weak=True)
    return response


def _unless_they_have_it(response: Response) -> Response:
    """Readers that poll are told "nothing new" without the body."""
    if request.if_none_match and "ETag" in response.headers and response.status_code == 200:
        response.make_conditional(request)
    return response
