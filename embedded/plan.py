"""What is embedded and what is real, and what each process is told about the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded import aws, database, platform_process, ports, readiness, redis_server
from embedded.child import Part, python

# A call to the platform that is under way may take 20 s, and is waited for.
WORKER_STOP_SECONDS = 25
EVERYWHERE = "0.0.0.0"
WEBHOOKS = "/api/onlyfans/webhooks"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Parts in the order of starting: embedded ones, what prepares the database if need be, and the product itself.

    `addresses`: the variables that lead to the embedded parts.
    """

    embedded: Sequence[Part]
    database: Part | None
    product: Sequence[Part]
    url: str
    control_page: str | None
    addresses: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What was asked for on the command line, and where the web process listens."""

    host: str
    port: int
    simulate: Sequence[str] = ()
    demo: bool = True


def make(environment: Mapping[str, str], var: Path, wishes: Wishes) -> Plan:
    """Decide from what is configured in `environment` (empty counts as not given); state goes to `var`."""
    given, environment = environment, dict(environment)
    embedded: list[Part] = []
    control_page = None
    prepared = False
    if not _given(environment, "DATABASE_URL"):
        environment["DATABASE_URL"] = f"sqlite:///{var / database.NAME}"
        prepared = database.is_prepared(var / database.NAME, wishes.demo)
    if not _given(environment, "REDIS_URL"):
        environment["REDIS_URL"] = redis_server.choose_url(var, lambda: ports.kept("redis", var))
        embedded.append(redis_server.part(environment["REDIS_URL"], var))
    if not _given(environment, "AWS_ENDPOINT_URL", "SQS_RATE_LIMITER_QUEUE"):
        endpoint = aws.AwsEndpoint.at(ports.kept("aws", var))
        # Credentials of whoever starts this have no business with the embedded endpoint.
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            environment.pop(name, None)
        environment.update(endpoint.environment())
        embedded.append(aws.part(endpoint))
    if not _given(environment, "ONLY_FANS_API_BASE_URL"):
        port = ports.kept("platform", var)
        url = f"http://{ports.LOOPBACK}:{port}"
        environment.update(ONLY_FANS_API_BASE_URL=url, ONLYFANSAPI_API_KEY=platform_process.KEY)
        if not _given(environment, "WEBHOOK_SECRET"):
            environment["WEBHOOK_SECRET"] = platform_process.WEBHOOK_SECRET
        told = ["--webhook", f"{_url(wishes)}{WEBHOOKS}", "--webhook-secret", environment["WEBHOOK_SECRET"].strip()]
        arguments = [*told, *_simulate(wishes)]
        embedded.append(platform_process.part(port, str(var / "platform.sqlite3"), arguments))
        control_page = f"{url}/_sim"
    return Plan(
        embedded=embedded,
        database=None if prepared else database.part(environment, wishes.demo),
        product=[_web(environment, wishes), _worker(environment, wishes)],
        url=_url(wishes),
        control_page=control_page,
        addresses={name: value for name, value in environment.items() if given.get(name) != value},
    )


def _given(environment: Mapping[str, str], *names: str) -> bool:
    return any(environment.get(name, "").strip() for name in names)


def _simulate(wishes: Wishes) -> list[str]:
    # The last of each name counts: whoever asks for other fans gets them. Without the demo nobody knows them.
    alive = ["fans=on"] if wishes.demo else []
    return [argument for wish in (*alive, *wishes.simulate) for argument in ("--simulate", wish)]


def _web(environment: Mapping[str, str], wishes: Wishes) -> Part:
    options = ["--workers", "1", "--threads", "8", "--graceful-timeout", "4", "--no-control-socket"]
    bind = ["--bind", f"{wishes.host}:{wishes.port}"]
    return Part(
        name="web",
        command=python("-m", "gunicorn", *options, *bind, "app:create_app()"),
        environment=environment,
        ready=lambda _: readiness.answers(_url(wishes)),
        start_seconds=120,
    )


def _worker(environment: Mapping[str, str], wishes: Wishes) -> Part:
    return Part(
        name="worker",
        command=python("worker.py"),
        environment=environment,
        ready=readiness.seldom(lambda: readiness.delivers(_url(wishes)), readiness.ASK_WORKER_SECONDS),
        start_seconds=120,
        stop_seconds=WORKER_STOP_SECONDS,
    )


def _url(wishes: Wishes) -> str:
    host = ports.LOOPBACK if wishes.host == EVERYWHERE else wishes.host
    return f"http://{host}:{wishes.port}"
