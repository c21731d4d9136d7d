"""Configuration: defaults that work, values that mean what they say, and nonsense refused in one clear line."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from app import create_app
from config import ROOT, ConfigError, RateLimit
from tests.support.apps import PRODUCTION

DEPLOYED = PRODUCTION | {"DATABASE_URL": "postgresql://user@db/huntaze", "REDIS_URL": "redis://redis:6379/0"}
NONSENSE = [
    ("APP_ENV", "staging"),
    ("PORT", "eighty"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "8000.5"),
    ("PROXY_HOPS", "-1"),
    ("LOG_LEVEL", "verbose"),
    ("DATABASE_URL", "mysql://localhost/x"),
    ("DATABASE_URL", "huntaze.sqlite3"),
    ("DATABASE_URL", "postgresql://user@host:port/x"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost"),
    ("REDIS_URL", "redis://[::1"),
    ("REDIS_URL", "redis:localhost"),
    ("REDIS_URL", "redis://localhost:port"),
    ("SQS_RATE_LIMITER_QUEUE", "huntaze-rate-limiter-queue"),
    ("SQS_RATE_LIMITER_DLQ", "arn:aws:sqs:us-east-1:123456789012:dlq"),
    ("ONLY_FANS_API_BASE_URL", "app.onlyfansapi.com"),
    ("ONLY_FANS_API_BASE_URL", "https://"),
    ("PUBLIC_URL", "crm.example.com"),
    ("PLATFORM_TIMEOUT_SECONDS", "21"),
    ("PLATFORM_TIMEOUT_SECONDS", "0"),
    ("PLATFORM_TIMEOUT_SECONDS", "nan"),
    ("RATE_LIMITER_ENABLED", "maybe"),
    ("RATE_LIMIT_MESSAGES", "0"),
    ("RATE_LIMIT_MESSAGES", "ten"),
    ("RATE_LIMIT_WINDOW_SECONDS", "inf"),
    ("RATE_LIMIT_WINDOW_SECONDS", "0"),
    ("RATE_LIMIT_MIN_GAP_SECONDS", "-1"),
    ("RATE_LIMIT_MIN_GAP_SECONDS", "7"),
    ("DELIVERY_MAX_IN_FLIGHT", "0"),
    ("BULK_MAX_RECIPIENTS", "1e3"),
    ("API_LIMITS", "send_message"),
    ("API_LIMITS", "send_message=0/minute"),
    ("API_LIMITS", "send_message=60/fortnight"),
    ("API_LIMITS", "send_message=60/minute, send_message=5/minute"),
    ("API_RATE_LIMITS", "2"),
    ("ENCRYPTION_KEY", "too short"),
    ("ENCRYPTION_KEY", "ä" * 44),
]


def test_nothing_given_is_a_development_that_works() -> None:
    settings = config.load({})
    assert not settings.production
    assert not settings.configured
    assert settings.database_url.startswith("sqlite:////")
    assert settings.rate_limit == RateLimit(messages=10, window=60, min_gap=3)
    assert settings.limiter_enabled


def test_empty_is_as_good_as_not_given() -> None:
    names = ["PORT", "DATABASE_URL", "REDIS_URL", "APP_ENV", "RATE_LIMITER_ENABLED", "WEBHOOK_SECRET"]
    assert config.load(dict.fromkeys(names, " ")) == config.load({})


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_refused_in_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load({name: value})
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.dictionaries(st.sampled_from(sorted({name for name, _ in NONSENSE})), st.text(max_size=30)))
def test_anything_is_either_taken_or_refused_in_one_line(environment: dict[str, str]) -> None:
    refusal = "none"
    try:
        config.load(environment)
    except ConfigError as refused:
        refusal = str(refused)
    assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_postgresql_means_psycopg(scheme: str) -> None:
    settings = config.load({"DATABASE_URL": f"{scheme}://user:pass@db:5432/huntaze"})
    assert settings.database_url == "postgresql+psycopg://user:pass@db:5432/huntaze"


@pytest.mark.parametrize(("messages", "window", "gap"), [(10, 60, 3), (10, 30, 1.5), (1, 2, 1), (100, 60, 0.3)])
def test_the_gap_is_three_seconds_or_half_of_a_fair_share(messages: int, window: float, gap: float) -> None:
    given = {"RATE_LIMIT_MESSAGES": str(messages), "RATE_LIMIT_WINDOW_SECONDS": str(window)}
    assert config.load(given).rate_limit.min_gap == pytest.approx(gap)


def test_a_gap_may_fill_the_window_and_no_more() -> None:
    assert config.load({"RATE_LIMIT_MIN_GAP_SECONDS": "6"}).rate_limit.min_gap == 6
    with pytest.raises(ConfigError, match="could never be used"):
        config.load({"RATE_LIMIT_MIN_GAP_SECONDS": "6.1"})


@given(st.integers(1, 1000), st.floats(0.1, 3600))
def test_the_default_gap_always_leaves_the_limit_usable(messages: int, window: float) -> None:
    limit = config.load({"RATE_LIMIT_MESSAGES": str(messages), "RATE_LIMIT_WINDOW_SECONDS": str(window)}).rate_limit
    assert limit.min_gap * limit.messages <= limit.window
    assert limit.min_gap <= 3


@pytest.mark.parametrize("text", ["true", "ON", "Yes", "1"])
def test_a_switch_is_on_in_many_words(text: str) -> None:
    assert config.load({"RATE_LIMITER_ENABLED": text}).limiter_enabled


@pytest.mark.parametrize("text", ["false", "OFF", "No", "0"])
def test_a_switch_is_off_in_many_words(text: str) -> None:
    assert not config.load({"RATE_LIMITER_ENABLED": text}).limiter_enabled


def test_production_with_all_its_secrets_starts() -> None:
    assert config.load(DEPLOYED).production


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "ENCRYPTION_KEY", "DATABASE_URL", "REDIS_URL"])
def test_production_needs_them_given(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        config.load(DEPLOYED | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", config.DEVELOPMENT_SECRET),
        ("SECRET_KEY", "short"),
        ("JWT_SECRET_KEY", config.DEVELOPMENT_SECRET),
        ("ENCRYPTION_KEY", config.DEVELOPMENT_ENCRYPTION_KEY),
        ("API_RATE_LIMITS", "off"),
    ],
)
def test_production_refuses_what_is_meant_for_development(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        config.load(DEPLOYED | {name: value})


def test_configured_means_that_key_queue_and_redis_are_set() -> None:
    given = {
        "ONLYFANSAPI_API_KEY": "key",
        "SQS_RATE_LIMITER_QUEUE": "https://sqs.us-east-1.amazonaws.com/1/q",
        "REDIS_URL": "redis://redis",
    }
    assert config.load(given).configured
    for name in given:
        assert not config.load(given | {name: ""}).configured


def test_a_refusal_ends_the_program_with_that_line_alone() -> None:
    command = [sys.executable, "-c", "import app; app.create_app()"]
    environment = os.environ | {"PORT": "eighty", "APP_ENV": "production"}
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == "Configuration: PORT must be a whole number, not 'eighty'.\n"


@pytest.mark.parametrize("url", ["redis://localhost:6379/0", "rediss://:secret@host", "unix:///tmp/redis.sock"])
def test_what_is_taken_can_be_bound(url: str, database_url: str) -> None:
    create_app(config.load({"REDIS_URL": url, "DATABASE_URL": database_url}))
