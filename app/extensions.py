"""Extensions, unbound: create_app() binds them; nothing of ours is imported here."""

from typing import TYPE_CHECKING

import redis as redis_client
from flask import Flask
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
REDIS_URL_UNSET = "redis://127.0.0.1:6379/0"


class Base(DeclarativeBase):
    """Every table's base: named constraints, so that migrations can find them."""

    metadata = MetaData(naming_convention=NAMING)


class Redis:
    """The shared Redis client of a process, made lazily; answers are text, time-outs short."""

    def __init__(self) -> None:
        self.client: redis_client.Redis | None = None

    def init_app(self, app: Flask) -> None:
        """Bind to the app's REDIS_URL; no connection is made here."""
        self.client = connect_redis(app.config["REDIS_URL"])

    def __call__(self) -> redis_client.Redis:
        """The client; raises RuntimeError before init_app."""
        if self.client is None:
            raise RuntimeError("Redis is not bound to an app yet")
        return self.client


def connect_redis(url: str | None, socket_timeout: float = 0.2) -> redis_client.Redis:
    """A client that gives up after `socket_timeout` seconds and never tries twice by itself."""
    return redis_client.Redis.from_url(
        url or REDIS_URL_UNSET,
        decode_responses=True,
        socket_timeout=socket_timeout,
        socket_connect_timeout=socket_timeout,
        retry=Retry(NoBackoff(), 0),
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
htmx = Htmx()
redis = Redis()

if TYPE_CHECKING:

    class Model(DeclarativeBase):
        """What the type checker sees of db.Model."""

else:
    Model = db.Model
