"""Settings from the environment: read once, checked at once, refused with one clear line."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
DEVELOPMENT_SECRET = "development-only-secret-never-use-in-production"
DEVELOPMENT_ENCRYPTION_KEY = "ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE="
PLATFORM_BASE_URL = "https://app.onlyfansapi.com"
HOST_NEEDED = ("http", "https", "redis", "rediss")
API_LIMIT = re.compile(
    r"(?P<name>[a-z_]+)\s*=\s*(?P<amount>[1-9][0-9]{0,8})\s*/\s*(?P<period>second|min|minute|hour|day)"
)
NAMESPACE = re.compile(r"(?!AWS/)[A-Za-z0-9._/#-]{1,255}")
PERIODS = {"min": "minute"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class ConfigError(Exception):
    """A setting is missing or makes no sense; the text names it and says what to do."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `messages` calls in any `window` seconds, starts at least `min_gap` seconds apart."""

    messages: int
    window: float
    min_gap: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that the environment decides. Durations are seconds, URLs are strings."""

    app_env: str
    secret_key: str
    jwt_secret_key: str
    jwt_previous_secret_key: str | None
    encryption_key: str
    webhook_secret: str | None
    webhook_previous_secret: str | None
    database_url: str
    redis_url: str | None
    aws_region: str
    sqs_queue_url: str | None
    sqs_dlq_url: str | None
    cloudwatch_namespace: str | None
    platform_api_key: str | None
    platform_base_url: str
    platform_timeout: float
    limiter_enabled: bool
    rate_limit: RateLimit
    max_in_flight: int
    bulk_max_recipients: int
    api_rate_limits: bool
    api_limits: dict[str, str]
    public_url: str | None
    proxy_hops: int
    port: int
    log_level: str

    @property
    def production(self) -> bool:
        """Whether this is a deployment that people use, with all its guards."""
        return self.app_env == "production"

    @property
    def configured(self) -> bool:
        """Whether platform key, queue and Redis are set: without one of them nothing can be sent."""
        return bool(self.platform_api_key and self.sqs_queue_url and self.redis_url)


class Reader:
    """Typed access to an environment. Empty counts as not given."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str) -> str | None:
        """The stripped value, or None."""
        return self.environ.get(name, "").strip() or None

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.text(name)
        try:
            number = default if value is None else int(value)
        except ValueError:
            raise ConfigError(f"{name} must be a whole number, not {value!r}.") from None
        if not low <= number <= high:
            raise ConfigError(f"{name} must be between {low} and {high}, not {number}.")
        return number

    def seconds(self, name: str, default: float, low: float, high: float) -> float:
        """A number of seconds from `low` to `high`."""
        value = self.text(name)
        try:
            number = default if value is None else float(value)
        except ValueError:
            raise ConfigError(f"{name} must be a number of seconds, not {value!r}.") from None
        if not low <= number <= high:
            raise ConfigError(f"{name} must be between {low:g} and {high:g} seconds, not {value}.")
        return number

    def switch(self, name: str, default: bool) -> bool:
        """true/false, on/off, yes/no or 1/0."""
        value = self.text(name)
        if value is None:
            return default
        if value.lower() in {"true", "on", "yes", "1"}:
            return True
        if value.lower() in {"false", "off", "no", "0"}:
            return False
        raise ConfigError(f"{name} must be true or false, not {value!r}.")

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of `choices`."""
        value = self.text(name) or default
        if value not in choices:
            raise ConfigError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        return value

    def url(self, name: str, schemes: tuple[str, ...]) -> str | None:
        """An address with one of `schemes`, or None."""
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            whole = parts.scheme in schemes and bool(parts.hostname or parts.scheme not in HOST_NEEDED)
            _ = parts.port
        except ValueError:
            whole = False
        if not whole:
            raise ConfigError(f"{name} must be a whole URL that begins with {' or '.join(f'{s}://' for s in schemes)}.")
        return value


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ`; raises ConfigError with a line that says what to mend."""
    read = Reader(environ)
    settings = Settings(
        app_env=read.choice("APP_ENV", "development", ("development", "production")),
        secret_key=read.text("SECRET_KEY") or DEVELOPMENT_SECRET,
        jwt_secret_key=read.text("JWT_SECRET_KEY") or DEVELOPMENT_SECRET,
        jwt_previous_secret_key=read.text("JWT_PREVIOUS_SECRET_KEY"),
        encryption_key=read.text("ENCRYPTION_KEY") or DEVELOPMENT_ENCRYPTION_KEY,
        webhook_secret=read.text("WEBHOOK_SECRET"),
        webhook_previous_secret=read.text("WEBHOOK_PREVIOUS_SECRET"),
        database_url=_database_url(read),
        redis_url=read.url("REDIS_URL", ("redis", "rediss", "unix")),
        aws_region=read.text("AWS_REGION") or read.text("AWS_DEFAULT_REGION") or "us-east-1",
        sqs_queue_url=read.url("SQS_RATE_LIMITER_QUEUE", ("http", "https")),
        sqs_dlq_url=read.url("SQS_RATE_LIMITER_DLQ", ("http", "https")),
        cloudwatch_namespace=_namespace(read),
        platform_api_key=read.text("ONLYFANSAPI_API_KEY"),
        platform_base_url=read.url("ONLY_FANS_API_BASE_URL", ("http", "https")) or PLATFORM_BASE_URL,
        platform_timeout=read.seconds("PLATFORM_TIMEOUT_SECONDS", 20, 0.1, 20),
        limiter_enabled=read.switch("RATE_LIMITER_ENABLED", True),
        rate_limit=_rate_limit(read),
        max_in_flight=read.integer("DELIVERY_MAX_IN_FLIGHT", 48, 1, 500),
        bulk_max_recipients=read.integer("BULK_MAX_RECIPIENTS", 100, 1, 10_000),
        api_rate_limits=read.switch("API_RATE_LIMITS", True),
        api_limits=_api_limits(read),
        public_url=read.url("PUBLIC_URL", ("http", "https")),
        proxy_hops=read.integer("PROXY_HOPS", 0, 0, 10),
        port=read.integer("PORT", 8000, 1, 65535),
        log_level=read.choice("LOG_LEVEL", "INFO", LOG_LEVELS),
    )
    _check_encryption_key(settings.encryption_key)
    if settings.production:
        _refuse_unsafe(settings, read)
    return settings


def _database_url(read: Reader) -> str:
    url = read.url("DATABASE_URL", ("sqlite", "postgres", "postgresql", "postgresql+psycopg"))
    if url is None:
        return f"sqlite:///{ROOT / 'var' / 'huntaze.sqlite3'}"
    scheme, rest = url.split(":", 1)
    return f"postgresql+psycopg:{rest}" if scheme.startswith("postgres") else url


def _namespace(read: Reader) -> str | None:
    """Where metrics go, None where none are sent."""
    namespace = read.text("CLOUDWATCH_NAMESPACE") or "Huntaze/OnlyFans"
    if namespace == "off":
        return None
    if not NAMESPACE.fullmatch(namespace):
        raise ConfigError(
            "CLOUDWATCH_NAMESPACE must be letters, digits and . - _ / # (not beginning with AWS/), or off."
        )
    return namespace


def _rate_limit(read: Reader) -> RateLimit:
    messages = read.integer("RATE_LIMIT_MESSAGES", 10, 1, 1000)
    window = read.seconds("RATE_LIMIT_WINDOW_SECONDS", 60, 0.1, 3600)
    min_gap = read.seconds("RATE_LIMIT_MIN_GAP_SECONDS", min(3.0, window / messages / 2), 0, 3600)
    if min_gap * messages > window:
        raise ConfigError(
            f"RATE_LIMIT_MIN_GAP_SECONDS ({min_gap:g}) times RATE_LIMIT_MESSAGES ({messages}) is more than "
            f"RATE_LIMIT_WINDOW_SECONDS ({window:g}): the limit could never be used. Make the gap smaller."
        )
    return RateLimit(messages=messages, window=window, min_gap=min_gap)


def _api_limits(read: Reader) -> dict[str, str]:
    """`send_message=60/min, …` → operation → `60 per minute`."""
    found: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in (read.text("API_LIMITS") or "").split(","))):
        limit = API_LIMIT.fullmatch(entry)
        if limit is None or limit["name"] in found:
            raise ConfigError(
                f"API_LIMITS must name each operation once, as in send_message=60/minute (or /second, /hour, /day), "
                f"with commas between; not {entry!r}."
            )
        found[limit["name"]] = f"{limit['amount']} per {PERIODS.get(limit['period'], limit['period'])}"
    return found


def _check_encryption_key(key: str) -> None:
    try:
        length = len(base64.urlsafe_b64decode(key))
    except ValueError:
        length = 0
    if length != 32:
        raise ConfigError("ENCRYPTION_KEY must be 32 bytes in URL-safe base64, 44 characters (see .env.example).")


def _refuse_unsafe(settings: Settings, read: Reader) -> None:
    secrets = (
        ("SECRET_KEY", settings.secret_key, DEVELOPMENT_SECRET),
        ("JWT_SECRET_KEY", settings.jwt_secret_key, DEVELOPMENT_SECRET),
        ("ENCRYPTION_KEY", settings.encryption_key, DEVELOPMENT_ENCRYPTION_KEY),
    )
    for name, value, default in secrets:
        if value == default or len(value) < 32:
            raise ConfigError(f"{name} must be a secret of its own, at least 32 characters, in production.")
    for name in ("DATABASE_URL", "REDIS_URL"):
        if read.text(name) is None:
            raise ConfigError(f"{name} must be set in production.")
    if not settings.api_rate_limits:
        raise ConfigError("API_RATE_LIMITS=off is for load tests and is refused in production.")
