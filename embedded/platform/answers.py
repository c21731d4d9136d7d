"""What a call is answered with, and the platform's ways to refuse."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from embedded.platform.state import Message

Body = dict[str, object] | list[object] | str


@dataclass(slots=True)
class Answer:
    """Status, JSON body (a string: HTML) and extra headers; `message` is the one that a send brought into being."""

    status: int
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)
    message: Message | None = None
    enveloped: bool = True
    replayed: bool = False
    keep: bool = True


def data(value: object, next_page: str | None = None, paged: bool = False) -> Answer:
    """Answer 200 with the value in the platform's envelope, and where it is a page, the next one's URL or null."""
    body: dict[str, object] = {"data": value}
    if paged:
        body["_pagination"] = {"next_page": next_page}
    return Answer(200, body)


def bare(value: Body) -> Answer:
    """Answer 200 with the value as it is: three of the platform's calls have no envelope."""
    return Answer(200, value, enveloped=False)


def error(status: int, code: str, message: str, **more: object) -> Answer:
    """Refuse with the platform's error shape."""
    return Answer(status, {"error": code, "message": message, **more})


def invalid(errors: Mapping[str, list[str]]) -> Answer:
    """Refuse the fields named, 422."""
    return error(422, "VALIDATION_ERROR", "The given data was invalid.", errors=dict(errors))


def not_found(what: str) -> Answer:
    """Refuse with 404, naming what there is none of."""
    return error(404, "NOT_FOUND", f"{what} not found.")


def refused_by_onlyfans(status: int, message: str) -> Answer:
    """Refuse as OnlyFans behind the gateway does: its own status and words lie inside."""
    inside = {"status": status, "body": {"error": {"code": 0, "message": message}}}
    return error(status, "ONLYFANS_COM_ERROR", message, onlyfans_response=inside)


def unauthorized() -> Answer:
    """Refuse the API key, 401."""
    text = "Unauthorized. Go to https://app.onlyfansapi.com to get your API key."
    return Answer(401, {"error": text}, enveloped=False)


def session_expired() -> Answer:
    """Refuse because the creator has to sign in on OnlyFans again, 401."""
    return error(401, "SESSION_EXPIRED:NEEDS_REAUTHENTICATION", "The account's session expired. Authenticate it again.")


def wrong_account_id() -> Answer:
    """Refuse an account id that is not one of the gateway's, 404."""
    return error(404, "NOT_FOUND", "You must use the OFAPI ID (starting with acct_).")


def unreachable_fan() -> Answer:
    """Refuse because the fan blocked, muted or left, 400."""
    return refused_by_onlyfans(400, "Cannot send message to this user")


def key_invalid() -> Answer:
    """Refuse a key that can't be one, 400."""
    return error(400, "IDEMPOTENCY_KEY_INVALID", "The Idempotency-Key must be 1-255 printable ASCII characters.")


def key_conflict() -> Answer:
    """Refuse because the key's first call still runs, 409."""
    return error(409, "IDEMPOTENCY_CONFLICT", "An earlier request with this Idempotency-Key is still running.")


def key_mismatch() -> Answer:
    """Refuse because the key was used with another body or chat, 422."""
    return error(422, "IDEMPOTENCY_KEY_MISMATCH", "This Idempotency-Key was already used with a different request.")


def team_limit(seconds: int) -> Answer:
    """Refuse because the team made too many calls this minute, 429."""
    refused = error(429, "RATE_LIMITED", "Too Many Attempts.", retry_after=seconds)
    refused.headers = {"Retry-After": str(seconds)}
    return refused
