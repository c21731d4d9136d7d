"""How often a caller may come: counted per user and endpoint, told in headers, and counted in memory without Redis."""

import time

import pytest
from flask import Flask

from app.accounts import tokens
from embedded.aws import AwsEndpoint
from tests.api.conftest import SEND, STATUS, Caller, SignIn
from tests.support.apps import NOBODY_LISTENS, MakeApp
from tests.support.cast import Cast


@pytest.fixture
def three_a_minute(app: Flask) -> None:
    """A limit that a test can use up."""
    app.config["API_LIMITS"] = {"queue_status": "3 per minute", "check_deployment": "3 per minute"}


@pytest.mark.usefixtures("three_a_minute")
def test_a_used_up_limit_says_when_to_come_back(as_ada: Caller) -> None:
    answers = [as_ada.get(STATUS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    for answer in answers:
        assert answer.headers["RateLimit-Limit"] == "3"
        assert 0 <= int(answer.headers["RateLimit-Reset"]) <= 61
    refusal = answers[-1]
    wait = int(refusal.headers["Retry-After"])
    assert 1 <= wait <= 61
    assert refusal.json == {"success": False, "error": f"Too many requests: try again in {wait} s", "details": []}


@pytest.mark.usefixtures("three_a_minute")
def test_a_limit_is_one_users_at_one_endpoint(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    for _ in range(4):
        last = as_ada.get(STATUS)
    assert last.status_code == 429
    assert call_as(cast.ada).get(STATUS).status_code == 429
    assert call_as(cast.eve).get(STATUS).status_code == 200
    assert as_ada.send().status_code == 202


@pytest.mark.usefixtures("three_a_minute")
def test_an_open_endpoint_counts_addresses_whatever_they_say(nobody: Caller) -> None:
    answers = [nobody.get(SEND, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(4)]
    assert answers == [200, 200, 200, 429]


def test_the_limits_per_user_can_be_lifted_and_those_per_address_stay(
    make_app: MakeApp, cast: Cast, keys: tokens.Keys
) -> None:
    app = make_app(API_RATE_LIMITS="off")
    app.config["API_LIMITS"] = {"queue_status": "1 per minute", "check_deployment": "1 per minute"}
    caller = Caller(app.test_client(), tokens.issue(cast.ada, keys).access_token)
    assert [caller.get(STATUS).status_code for _ in range(3)] == [200, 200, 200]
    assert [caller.get(SEND).status_code for _ in range(2)] == [200, 429]


def test_without_redis_memory_counts_and_nothing_breaks(
    make_app: MakeApp, cast: Cast, keys: tokens.Keys, aws: AwsEndpoint
) -> None:
    app = make_app(REDIS_URL=NOBODY_LISTENS.replace("http", "redis"))
    app.config["API_LIMITS"] = {"send_message": "3 per minute"}
    caller = Caller(app.test_client(), tokens.issue(cast.ada, keys).access_token)
    began = time.monotonic()
    answers = [caller.send() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert time.monotonic() - began < 5
    assert answers[-1].headers["Retry-After"]
    assert caller.get(STATUS).json["rateLimit"]["remaining"] is None


def test_limits_come_from_the_environment(make_app: MakeApp, cast: Cast, keys: tokens.Keys) -> None:
    app = make_app(API_LIMITS="queue_status=2/minute, list_fans=1/hour")
    caller = Caller(app.test_client(), tokens.issue(cast.ada, keys).access_token)
    assert [caller.get(STATUS).status_code for _ in range(3)] == [200, 200, 429]
    fans = [caller.get("/api/crm/fans") for _ in range(2)]
    assert [(one.status_code, one.headers["RateLimit-Limit"]) for one in fans] == [(200, "1"), (429, "1")]
    assert 3500 < int(fans[1].headers["Retry-After"]) <= 3600


def test_a_limit_of_an_operation_that_isnt_there_stops_the_start(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make_app(API_LIMITS="send=60/minute")
    assert capsys.readouterr().err == (
        "Configuration: API_LIMITS names send, and no operation of the API is called so (see /api/docs).\n"
    )
