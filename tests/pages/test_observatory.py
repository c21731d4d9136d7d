"""The MDN HTTP Observatory's rules, as facts: every kind of answer in production scores at least 100."""

import re
from collections.abc import Callable

from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from app.accounts.models import User
from tests.pages.conftest import sign_in_with
from tests.support.apps import PRODUCTION, MakeApp
from tests.support.cast import Cast

BROAD = {"*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"}
INLINE = {"'unsafe-inline'", "data:"}
HALF_A_YEAR = 15_768_000
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
ENOUGH_FOR_BONUSES = 90
PATHS = ["/", "/login", "/nowhere", "/static/app.css", "/static/nowhere.css", "/api/docs", "/api/nowhere", "/healthz"]


def _policy(headers: Headers) -> dict[str, set[str]]:
    directives = [part.split() for part in headers.get("Content-Security-Policy", "").split(";") if part.strip()]
    assert len({name for name, *_ in directives}) == len(directives), "a directive twice makes the header invalid"
    return {name: set(sources) for name, *sources in directives}


def _csp(headers: Headers) -> int:
    policy = _policy(headers)
    script, style, objects = (
        policy.get(name, policy.get("default-src", {"*"})) for name in ("script-src", "style-src", "object-src")
    )
    sources = set().union(*policy.values())
    if not policy:
        return -25
    if script & (BROAD | INLINE) or objects & BROAD:
        return -20
    if any(source.startswith(("http:", "ftp:")) for source in sources):
        return -20
    if "'unsafe-eval'" in script | style:
        return -10
    if style & (BROAD | INLINE):
        return 0
    return 10 if policy.get("default-src") == {"'none'"} else 5


def _cookies(headers: Headers) -> int:
    scores = [0]
    for cookie in headers.getlist("Set-Cookie"):
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        guarded = "samesite=lax" in flags or "samesite=strict" in flags
        session = re.search("login|sess", cookie.partition("=")[0].lower())
        scores.append(-20 if "secure" not in flags else -30 if session and "httponly" not in flags else 5 * guarded)
    return min(scores) or max(scores)


def _hsts(headers: Headers) -> int:
    age = re.search(r"max-age=(\d+)", headers.get("Strict-Transport-Security", ""))
    return -20 if age is None else -10 if int(age[1]) < HALF_A_YEAR else 0


def _framing(headers: Headers) -> int:
    if not _policy(headers).get("frame-ancestors", {"*"}) & BROAD:
        return 5
    return 5 if headers.get("X-Frame-Options", "").upper() in ("DENY", "SAMEORIGIN") else -20


def _referrer(headers: Headers) -> int:
    given = headers.get("Referrer-Policy")
    return 0 if given is None else 5 if given in PRIVATE else -5


def _sharing(headers: Headers) -> int:
    return 0 if "Access-Control-Allow-Origin" not in headers else -50


def _resources(headers: Headers) -> int:
    return {None: 0, "cross-origin": 0, "same-site": 10, "same-origin": 10}.get(
        headers.get("Cross-Origin-Resource-Policy"), -5
    )


def _sniffing(headers: Headers) -> int:
    return 0 if headers.get("X-Content-Type-Options", "").lower() == "nosniff" else -5


# Redirection to https is the proxy's; no script comes from another site, so its integrity is worth 0.
RULES: tuple[Callable[[Headers], int], ...] = (
    _csp,
    _cookies,
    _hsts,
    _framing,
    _referrer,
    _sharing,
    _resources,
    _sniffing,
)


def score(headers: Headers) -> int:
    """100 and what each rule adds or takes; bonuses count from 90 upwards."""
    modifiers = [rule(headers) for rule in RULES]
    without = 100 + sum(modifier for modifier in modifiers if modifier < 0)
    return without + sum(modifier for modifier in modifiers if modifier > 0) * (without >= ENOUGH_FOR_BONUSES)


def test_every_kind_of_answer_scores_a_hundred_and_more(make_app: MakeApp, cast: Cast) -> None:
    app = make_app(**PRODUCTION)

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError

    client = app.test_client()
    scores = {path: _score(client, path) for path in [*PATHS, "/fails"]}
    assert {path: found for path, found in scores.items() if found < 130} == {}


def _score(client: FlaskClient, path: str) -> int:
    with client.get(path, base_url="https://localhost") as answer:
        return score(answer.headers)


def test_the_pages_of_people_score_it_too(make_app: MakeApp, ada: User) -> None:
    client = make_app(**PRODUCTION, PROXY_HOPS=1).test_client()
    client.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"
    client.environ_base["HTTP_REFERER"] = "https://localhost/login"
    signed_in = sign_in_with(client, ada.email)
    assert (signed_in.status_code, score(signed_in.headers)) == (302, 135)
    for path in ("/messages/onlyfans", "/platforms/onlyfans/fans", "/platforms/onlyfans/analytics"):
        answer = client.get(path)
        assert (answer.status_code, score(answer.headers) >= 130) == (200, True), path


def test_a_worse_answer_scores_less() -> None:
    assert score(Headers()) == 100 - 25 - 20 - 20 - 5
    assert score(Headers({"Content-Security-Policy": "script-src 'self' 'unsafe-inline'; frame-ancestors *"})) <= 35
