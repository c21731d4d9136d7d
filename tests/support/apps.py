"""The application under test, its clients, and the settings that both are made from."""

import threading
from collections.abc import Callable, Iterator
from contextvars import Context
from types import CodeType, MethodType
from typing import Any, cast

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine
from werkzeug.routing import Rule
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

import config
from app import create_app
from app.extensions import db
from config import Settings
from embedded import platform_process
from embedded.aws import AwsEndpoint

NOBODY_LISTENS = "http://127.0.0.1:9"
PRODUCTION = {
    "APP_ENV": "production",
    "SECRET_KEY": "a-secret-of-the-tests-" * 2,
    "JWT_SECRET_KEY": "another-secret-of-the-tests-" * 2,
    "ENCRYPTION_KEY": "dGhlLXRlc3RzLW93bi1lbmNyeXB0aW9uLWtleS0zMmI=",
}
Environment = Callable[..., dict[str, str]]

MakeSettings = Callable[..., Settings]
MakeApp = Callable[..., Flask]
RunCli = Callable[..., Result]


class Compiled(BytecodeCache):
    """Templates as Python compiled them, for every app of this process: else each would compile them anew."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled from the same source."""
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.code[bucket.key, bucket.checksum] = bucket.code


COMPILED = Compiled()


@pytest.fixture(scope="session", autouse=True)
def routes_compiled_once() -> Iterator[None]:
    """Keep what Werkzeug makes of a route, which it would make anew for every app: nine tenths of an app's start."""
    compiled: dict[str, Rule] = {}
    compile_rule = Rule.compile

    def compile_once(rule: Rule) -> None:
        made_of = repr((rule.rule, rule.subdomain, rule.host, rule.defaults, rule.merge_slashes))
        first = compiled.get(made_of)
        if first is None:
            compile_rule(rule)
            compiled[made_of] = rule
            return
        rule._parts, rule._trace, rule._converters = first._parts, first._trace, first._converters
        rule.arguments = first.arguments
        rule._build = MethodType(cast(MethodType, first._build).__func__, rule)
        rule._build_unknown = MethodType(cast(MethodType, first._build_unknown).__func__, rule)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "compile", compile_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def engines_made_once() -> Iterator[None]:
    """Give apps on the same database the same engine: it keeps every statement that it compiled."""
    engines: dict[str, Engine] = {}
    make_engine = SQLAlchemy._make_engine

    def kept(extension: SQLAlchemy, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        made_of = repr(options)
        if made_of not in engines:
            engines[made_of] = make_engine(extension, bind_key, options, app)
        return engines[made_of]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLAlchemy, "_make_engine", kept)
        yield


@pytest.fixture
def environment(database_url: str, redis_url: str, request: pytest.FixtureRequest) -> Environment:
    """`environment(PORT=1234)`: what a process of the product gets from outside, the parts of this test included.

    SQS and the platform are in it when the test uses the fixtures `aws` (as every client does) and `platform`.
    """
    variables = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ONLYFANSAPI_API_KEY": platform_process.KEY,
        "ONLY_FANS_API_BASE_URL": NOBODY_LISTENS,
        "LOG_LEVEL": "WARNING",
        "CLOUDWATCH_NAMESPACE": "off",
    }
    if "aws" in request.fixturenames:
        variables |= request.getfixturevalue("aws").environment()
    if "platform" in request.fixturenames:
        variables["ONLY_FANS_API_BASE_URL"] = request.getfixturevalue("platform")
    return lambda **overrides: variables | {name: str(value) for name, value in overrides.items()}


@pytest.fixture
def make_settings(environment: Environment) -> MakeSettings:
    """`make_settings(RATE_LIMIT_MESSAGES=3)`: settings of this test's environment, with some variables changed."""
    return lambda **overrides: config.load(environment(**overrides))


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """The settings of `app`."""
    return make_settings()


@pytest.fixture
def make_app(make_settings: MakeSettings) -> Iterator[MakeApp]:
    """`make_app(RATE_LIMITER_ENABLED="off")`: an application on this test's parts; its connections end with it."""
    apps: list[Flask] = []

    def make(**overrides: object) -> Flask:
        app = create_app(make_settings(**overrides))
        app.testing = True
        app.jinja_env.bytecode_cache = COMPILED
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    """The application, its context pushed: rooms can be called, and `db.session` used, at once."""
    app = make_app()
    with app.app_context():
        yield app


class Client(FlaskClient):
    """A client whose requests see nothing of the test's own context; the test sees afresh what they changed."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request, as a stranger would."""
        response: TestResponse = Context().run(super().open, *args, **kwargs)
        db.session.expire_all()
        return response


@pytest.fixture
def make_client(app: Flask, aws: AwsEndpoint) -> Callable[[], FlaskClient]:
    """A new client, a browser of somebody else, for each call."""
    app.test_client_class = Client
    return app.test_client


@pytest.fixture
def client(make_client: Callable[[], FlaskClient]) -> FlaskClient:
    """A client of `app`; SQS is there."""
    return make_client()


@pytest.fixture
def run_cli(app: Flask) -> RunCli:
    """`run_cli("users", "create", …, input="secret")`: the command line; gives click's Result."""

    def run(*arguments: str, input: str | None = None, on: Flask = app) -> Result:
        runner = on.test_cli_runner()
        result: Result = Context().run(runner.invoke, args=arguments, input=input)
        db.session.expire_all()
        return result

    return run


@pytest.fixture
def live_server(app: Flask, aws: AwsEndpoint) -> Iterator[str]:
    """The URL at which `app` answers real browsers, on loopback."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
