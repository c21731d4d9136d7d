"""The access matrix: every route of the JSON door, and what each kind of caller gets. A route without a row fails."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from flask import Flask

from app.accounts import tokens
from app.api import docs
from app.campaigns import service as campaigns
from app.extensions import db
from app.fans import service as fans
from app.imports import service as imports
from app.imports.reader import Wishes
from app.messages import service
from app.messages.models import Status
from app.messages.rules import Draft
from tests.api.conftest import Caller, SignIn
from tests.support.cast import PASSWORD, Cast

UNSEEN = {"HEAD", "OPTIONS"}
CSV_FILE = b"username\nsomebody\n"


@dataclass(frozen=True, slots=True)
class Ids:
    """What a request speaks of."""

    account: int
    conversation: int
    failed: int
    unknown: int
    waiting: int
    fan: int
    campaign: int
    imported: int

    @classmethod
    def of_ada(cls, cast: Cast) -> "Ids":
        """What is Ada's; messages and fan are new each time."""
        failed, unknown, waiting = (
            service.send(cast.ada, cast.conversations[0].id, Draft(text="Hello")) for _ in range(3)
        )
        failed.status, failed.failed_at, unknown.status = Status.FAILED, datetime.now(UTC), Status.UNKNOWN
        db.session.commit()
        return cls(
            account=cast.account.id,
            conversation=cast.conversations[0].id,
            failed=failed.id,
            unknown=unknown.id,
            waiting=waiting.id,
            fan=fans.ensure(cast.account.id, f"new-{failed.id}").id,
            campaign=campaigns.launch(cast.ada, cast.account.id, "News", Draft(text="Hi"), [cast.fans[0].id]).id,
            imported=imports.load(cast.ada, cast.account.id, "fans.csv", CSV_FILE, Wishes()).id,
        )


NEVER = Ids(*[10**9] * 8)


@dataclass(frozen=True, slots=True)
class Row:
    """What a route answers to Ada, her manager Max, Eve and the operator Olga, when they speak of what is Ada's.

    `path` and `body` name what they speak of: `{ids.account}`, `ids.account`.
    """

    route: str
    ada: int
    max: int
    eve: int
    olga: int
    body: Callable[[Ids], dict[str, Any]] | None = None
    path: str | None = None
    file: bytes | None = None

    def ask(self, caller: Caller, ids: Ids) -> tuple[int, bytes]:
        """Call the route as it is meant to be called, about `ids`."""
        method, _, pattern = self.route.partition(" ")
        path = (self.path or pattern).format(ids=ids)
        if self.file is not None:
            response = caller(method, path, data={"file": (io.BytesIO(self.file), "fans.csv")})
        else:
            response = caller(method, path, json=self.body(ids) if self.body else None)
        return response.status_code, response.data


def a_message(ids: Ids) -> dict[str, Any]:
    """A message to a fan of the account."""
    return {"recipientId": "1001", "content": "Hello!", "accountId": ids.account}


def a_text(_: Ids) -> dict[str, Any]:
    """A message into a conversation."""
    return {"text": "Hello!"}


def confirmed(_: Ids) -> dict[str, Any]:
    """Somebody knows what they do."""
    return {"confirm": True}


def a_campaign(ids: Ids) -> dict[str, Any]:
    """A text for a fan of the account."""
    return {"recipientIds": [ids.fan], "content": "Hi!", "campaignName": "News", "accountId": ids.account}


def a_name(_: Ids) -> dict[str, Any]:
    """Another name for a fan."""
    return {"name": "Somebody"}


def a_fan(ids: Ids) -> dict[str, Any]:
    """A fan of the account."""
    return {"name": "Somebody", "accountId": ids.account}


MESSAGES = "/api/onlyfans/messages"
SEND, STATUS, FAILED = f"{MESSAGES}/send", f"{MESSAGES}/status", f"{MESSAGES}/failed"
ONE = f"{MESSAGES}/<reference:message_id>"
INBOX = "/api/crm/conversations"
THREAD = f"{INBOX}/<number:conversation_id>/messages"
ITS_THREAD = INBOX + "/{ids.conversation}/messages"
FANS = "/api/crm/fans"
FAN = f"{FANS}/<number:fan_id>"
THE_FAN = FANS + "/{ids.fan}"
IMPORT = "/api/onlyfans/import"
MINE = "?accountId={ids.account}"
CAMPAIGNS = "/api/crm/campaigns"
CAMPAIGN = f"{CAMPAIGNS}/<number:campaign_id>"
THE_CAMPAIGN = CAMPAIGNS + "/{ids.campaign}"
ANALYTICS = "/api/analytics"
REPORTS = [f"{ANALYTICS}/{report}{kind}" for report in ("summary", "top-fans", "revenue") for kind in ("", ".csv")]
CLOSED = [
    *(Row(f"GET {report}", 200, 200, 404, 404, path=report + MINE) for report in REPORTS),
    Row(f"POST {SEND}", 202, 202, 404, 404, body=a_message),
    # There is no worker in the tests: 503 is what everybody gets who may ask.
    Row("GET /api/monitoring/onlyfans", 503, 503, 503, 503),
    Row(f"GET {STATUS}", 200, 200, 404, 404, path=STATUS + MINE),
    Row(f"GET {FAILED}", 200, 200, 404, 404, path=FAILED + MINE),
    Row(f"POST {ONE}/retry", 202, 202, 404, 404, path=MESSAGES + "/{ids.failed}/retry"),
    Row(f"POST {ONE}/cancel", 200, 200, 404, 404, path=MESSAGES + "/{ids.waiting}/cancel"),
    Row(f"POST {ONE}/send-again", 202, 202, 404, 404, path=MESSAGES + "/{ids.unknown}/send-again", body=confirmed),
    Row(f"POST {ONE}/check", 202, 202, 404, 404, path=MESSAGES + "/{ids.unknown}/check"),
    Row("GET /api/onlyfans/accounts", 200, 200, 200, 200),
    # The platform can't be asked in these tests: 503 is what everybody gets who may connect accounts.
    Row("POST /api/onlyfans/accounts", 503, 403, 503, 403, body=lambda _: {"platformId": "acct_new"}),
    Row(f"GET {FANS}", 200, 200, 404, 404, path=FANS + MINE),
    Row(f"POST {FANS}", 201, 201, 404, 404, body=a_fan),
    Row(f"GET {FAN}", 200, 200, 404, 404, path=THE_FAN),
    Row(f"PUT {FAN}", 200, 200, 404, 404, path=THE_FAN, body=a_name),
    Row(f"DELETE {FAN}", 200, 200, 404, 404, path=THE_FAN),
    Row(f"POST {IMPORT}/csv", 200, 200, 404, 404, path=IMPORT + "/csv" + MINE, file=CSV_FILE),
    Row(f"GET {IMPORT}/<number:import_id>", 200, 200, 404, 404, path=IMPORT + "/{ids.imported}"),
    Row(f"GET {INBOX}", 200, 200, 404, 404, path=INBOX + MINE),
    Row(f"GET {THREAD}", 200, 200, 404, 404, path=ITS_THREAD),
    Row(f"POST {THREAD}", 202, 202, 404, 404, path=ITS_THREAD, body=a_text),
    Row("POST /api/messages/bulk", 202, 403, 404, 403, body=a_campaign),
    Row(f"GET {CAMPAIGNS}", 200, 403, 404, 403, path=CAMPAIGNS + MINE),
    Row(f"GET {CAMPAIGN}", 200, 403, 404, 403, path=THE_CAMPAIGN),
    Row(f"POST {CAMPAIGN}/pause", 200, 403, 404, 403, path=THE_CAMPAIGN + "/pause"),
    Row(f"POST {CAMPAIGN}/resume", 200, 403, 404, 403, path=THE_CAMPAIGN + "/resume"),
    Row(f"POST {CAMPAIGN}/cancel", 200, 403, 404, 403, path=THE_CAMPAIGN + "/cancel"),
]
OPEN = {
    "POST /api/auth/token": ({"email": "ada@example.com", "password": PASSWORD}, 200),
    "POST /api/auth/refresh": ({"refreshToken": "unknown"}, 401),
    "POST /api/auth/revoke": ({"refreshToken": "unknown"}, 200),
    "GET /api/onlyfans/messages/send": (None, 200),
    "POST /api/onlyfans/webhooks": ({"event": "test-event"}, 200),
    "GET /healthz": (None, 200),
    "GET /readyz": (None, 200),
    "GET /api/openapi.json": (None, 200),
    "GET /api/docs": (None, 200),
}


def test_every_route_has_its_row(app: Flask) -> None:
    routes = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - UNSEEN
        if rule.endpoint.startswith("api_")
    }
    assert routes == {row.route for row in CLOSED} | set(OPEN)


def test_open_routes_need_no_token(nobody: Caller, cast: Cast) -> None:
    for route, (body, status) in OPEN.items():
        method, _, path = route.partition(" ")
        assert nobody(method, path, json=body).status_code == status, route


def test_who_gets_what(call_as: SignIn, cast: Cast) -> None:
    for name in ("ada", "max", "eve", "olga"):
        caller = call_as(getattr(cast, name))
        for row in CLOSED:
            status, _ = row.ask(caller, Ids.of_ada(cast))
            assert status == getattr(row, name), (name, row.route)


def test_what_is_somebody_elses_answers_like_what_never_was(call_as: SignIn, cast: Cast) -> None:
    eve, ids = call_as(cast.eve), Ids.of_ada(cast)
    for row in CLOSED:
        if row.eve == 404:
            assert row.ask(eve, ids) == row.ask(eve, NEVER), row.route


def not_good(cast: Cast, keys: tokens.Keys) -> dict[str, str | None]:
    """What is no access token, by what is wrong with it."""
    pair = tokens.issue(cast.ada, keys)
    claims = jwt.decode(pair.access_token, keys.current, algorithms=["HS256"], audience=tokens.AUDIENCE)
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    ended = tokens.issue(cast.ada, keys)
    tokens.revoke(ended.refresh_token)
    return {
        "nobody": None,
        "expired": jwt.encode(claims | {"exp": long_ago}, keys.current, algorithm="HS256"),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "wrong audience": jwt.encode(claims | {"aud": "pages"}, keys.current, algorithm="HS256"),
        "wrong kind": pair.refresh_token,
        "signed out": ended.access_token,
    }


def test_without_a_good_token_every_route_is_closed(nobody: Caller, cast: Cast, keys: tokens.Keys) -> None:
    ids = Ids.of_ada(cast)
    for name, token in not_good(cast, keys).items():
        caller = Caller(nobody.client, token)
        for row in CLOSED:
            assert row.ask(caller, ids)[0] == 401, (name, row.route)


def test_the_documents_own_routes_are_those_that_the_door_has(app: Flask) -> None:
    with app.app_context():
        documented = docs._document()["paths"]
    assert {f"{method.upper()} {path}" for path, methods in documented.items() for method in methods} | {
        "GET /api/docs",
        "GET /api/openapi.json",
    } == {re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in [*OPEN, *(row.route for row in CLOSED)]}
