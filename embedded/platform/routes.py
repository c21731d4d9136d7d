"""Every call that the platform understands: method, path under /api, name, and who answers it."""

from collections.abc import Callable
from dataclasses import dataclass

from embedded.platform import chats, media, people, sending, webhooks
from embedded.platform.answers import Answer
from embedded.platform.simulator import Call, Simulator

Handler = Callable[[Simulator, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One call; `segments` of the path, those in braces are parameters; credits that it costs."""

    method: str
    segments: tuple[str, ...]
    kind: str
    handler: Handler
    credits: int = 1


def _route(method: str, path: str, kind: str, handler: Handler, credits: int = 1) -> Route:
    return Route(method, tuple(path.split("/")), kind, handler, credits)


ROUTES = (
    _route("POST", "{account}/chats/{chat}/messages", "send", sending.send),
    _route("GET", "{account}/chats/{chat}/messages", "list_messages", chats.list_messages),
    _route("GET", "{account}/chats/{chat}/messages/search", "search", chats.search),
    _route("GET", "{account}/chats/{chat}/messages/{message}", "message", chats.one_message),
    _route("DELETE", "{account}/chats/{chat}/messages/{message}", "delete_message", chats.delete_message),
    _route("GET", "{account}/chats", "list_chats", chats.list_chats),
    _route("POST", "{account}/chats/mark-as-read", "mark_all_read", chats.mark_all_read),
    _route("POST", "{account}/chats/{chat}/mark-as-read", "mark_read", chats.mark_read),
    _route("POST", "{account}/chats/{chat}/mark-as-unread", "mark_unread", chats.mark_unread),
    _route("POST", "{account}/chats/{chat}/typing", "typing", chats.typing, credits=0),
    _route("POST", "{account}/chats/{chat}/hide", "hide", chats.hide),
    _route("GET", "whoami", "whoami", people.whoami, credits=0),
    _route("GET", "accounts", "accounts", people.accounts, credits=0),
    _route("GET", "webhooks", "webhooks", webhooks.list_webhooks, credits=0),
    _route("POST", "webhooks", "webhooks", webhooks.create, credits=0),
    _route("GET", "webhooks/events", "webhooks", webhooks.list_events, credits=0),
    _route("GET", "webhooks/{webhook}", "webhooks", webhooks.retrieve, credits=0),
    _route("PUT", "webhooks/{webhook}", "webhooks", webhooks.update, credits=0),
    _route("DELETE", "webhooks/{webhook}", "webhooks", webhooks.delete, credits=0),
    _route("GET", "webhooks/{webhook}/deliveries", "webhooks", webhooks.deliveries, credits=0),
    _route("GET", "{account}/me", "me", people.me),
    _route("GET", "{account}/fans/all", "fans", people.fans_all),
    _route("GET", "{account}/fans/active", "fans", people.fans_active),
    _route("GET", "{account}/fans/expired", "fans", people.fans_expired),
    _route("GET", "{account}/fans/latest", "fans", people.fans_latest),
    _route("GET", "{account}/users/list", "users", people.users),
    _route("GET", "{account}/transactions", "transactions", people.transactions),
    _route("POST", "{account}/media/upload", "upload", media.upload, credits=6),
    _route("POST", "{account}/media/vault", "vault", media.upload_to_vault, credits=6),
    _route("GET", "{account}/media/vault", "vault", media.vault),
    _route("GET", "{account}/media/vault/{media}", "vault", media.vault_item),
)
KINDS = frozenset(route.kind for route in ROUTES)
_BY_SHAPE: dict[tuple[str, int], list[Route]] = {}
for _each in ROUTES:
    _BY_SHAPE.setdefault((_each.method, len(_each.segments)), []).append(_each)


def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the call that a path under /api means, and the parameters in it; None when there is none."""
    given = path.removeprefix("/api/").split("/")
    for route in _BY_SHAPE.get((method, len(given)), ()):
        params = _params(route.segments, given)
        if params is not None:
            return route, params
    return None


def _params(segments: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for segment, text in zip(segments, given, strict=True):
        if segment[0] == "{":
            params[segment[1:-1]] = text
        elif segment != text:
            return None
    return params
