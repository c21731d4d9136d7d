"""What a fault answers in the platform's place."""

from collections.abc import Callable, Mapping

from embedded.platform import answers
from embedded.platform.answers import Answer
from embedded.platform.faults import Rule

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def answer(rule: Rule) -> Answer | None:
    """Return the answer that the fault gives; None when it drops the connection."""
    make = _ANSWERS.get(rule.kind)
    return make(rule) if make else None


def _status(rule: Rule) -> Answer:
    status, body, headers = rule.params["status"], rule.params["body"], rule.params["headers"]
    assert isinstance(status, int)
    assert isinstance(headers, dict)
    made = answers.error(status, str(rule.params["code"]), str(rule.params["message"]))
    if isinstance(body, dict | list | str):
        made.body = body
    made.headers = {str(name): str(value) for name, value in headers.items()}
    return made


def _rate_limited(rule: Rule) -> Answer:
    header, body = rule.params["header_retry_after"], rule.params["body_retry_after"]
    more = {} if body is None else {"retry_after": body}
    made = answers.error(429, "CF:ONLYFANS_COM_RATE_LIMIT_ERROR_v3", "You are being rate limited.", **more)
    made.headers = {} if header is None else {"Retry-After": str(header)}
    return made


def _unauthorized(rule: Rule) -> Answer:
    return answers.session_expired() if rule.account else answers.unauthorized()


def _no_id(rule: Rule) -> Answer:
    if rule.params["error"]:
        return answers.bare({"error": "ONLYFANS_COM_ERROR", "hasError": True, "success": False})
    return answers.data({})


def _redirect(rule: Rule) -> Answer:
    status = rule.params["status"]
    assert isinstance(status, int)
    return Answer(status, "", {"Location": str(rule.params["location"])})


def _down(rule: Rule) -> Answer | None:
    return Answer(502, BAD_GATEWAY) if rule.params["html"] else None


_ANSWERS: Mapping[str, Callable[[Rule], Answer | None]] = {
    "down": _down,
    "html_502": lambda _: Answer(502, BAD_GATEWAY),
    "redirect": _redirect,
    "rate_limited": _rate_limited,
    "conflict": lambda _: answers.key_conflict(),
    "mismatch": lambda _: answers.key_mismatch(),
    "unauthorized": _unauthorized,
    "payment_required": lambda _: answers.error(402, "PAYMENT_REQUIRED", "Your team is out of credits."),
    "unreachable_fan": lambda _: answers.unreachable_fan(),
    "status": _status,
    "status_after_delivery": _status,
    "no_id": _no_id,
    "no_id_after_delivery": _no_id,
}
