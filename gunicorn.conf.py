"""gunicorn's settings: threads, because requests wait for the database; a worker is renewed now and then."""

import gc
import json
import logging
import os
import re
import sys
from datetime import UTC, datetime

from dotenv import load_dotenv

from config import ROOT, ConfigError, load

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 - behind a proxy
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 30
# After SIGTERM: requests that have begun are answered for so long.
graceful_timeout = 25
keepalive = 20
max_requests = 20_000
# Wide, or both would be renewed at the same time, and nobody would answer for the second that it takes.
max_requests_jitter = 20_000
# It lies in the home directory, where two deployments of one user would meet.
control_socket_disable = True
# A refused request's own words, and the query of an address, may hold whatever somebody sent.
SENT = re.compile(r"(?<=Invalid request from ip=)(\S+?): .*|\?\S*", re.DOTALL)


class JsonLines(logging.Formatter):
    """gunicorn's own lines in the shape of the product's."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object; of an exception its type alone."""
        line = {
            "event": SENT.sub(lambda found: found[1] or "", record.getMessage()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__qualname__
        return json.dumps(line)


def on_starting(_arbiter: object) -> None:
    """Refuse a configuration here: workers that refuse it would be started again for ever."""
    try:
        if os.environ.get("APP_ENV", "development") == "development":
            load_dotenv(ROOT / ".env")
        load(os.environ)
    except ConfigError as error:
        sys.exit(f"Configuration: {error}")


def post_worker_init(_worker: object) -> None:
    """Spare the garbage collector what is loaded for good: to look through all of it stops every thread for 0.2 s."""
    gc.collect()
    gc.freeze()


logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
        "alembic": {"level": "WARNING"},
    },
}
