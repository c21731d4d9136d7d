"""The rig: real parts started for one benchmark, and what they say of themselves afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import redis
from flask import Flask

import config
from app import create_app
from app.extensions import db
from embedded import aws, platform_process, redis_server

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Rig:
    """Addresses of the parts, the settings that name them, and an app on them."""

    environment: dict[str, str]
    app: Flask
    platform_url: str
    redis_url: str

    def platform(self, path: str) -> Any:
        """What the simulated platform says under `/_sim/…`."""
        answer = httpx.get(f"{self.platform_url}/_sim/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def calls(self) -> list[dict[str, Any]]:
        """Every call that sends, in order of arrival: the platform's own journal."""
        found: list[dict[str, Any]] = []
        after = 0
        while page := self.platform(f"journal?after={after}&limit=10000")["entries"]:
            found += page
            after = page[-1]["seq"]
        return found

    def script_calls(self) -> int:
        """How many scripts Redis has run for clients since it started."""
        with redis.Redis.from_url(self.redis_url, decode_responses=True) as client:
            stats: dict[str, Any] = client.info("commandstats")
        return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))

    @contextmanager
    def process(self, *arguments: str) -> Iterator[int]:
        """A Python process of ours with this rig's environment; yields its pid and ends it."""
        log = Path(self.environment["BENCH_DIRECTORY"]) / f"{Path(arguments[0]).stem}.log"
        with log.open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, *arguments], env=self.environment, cwd=ROOT, stdout=output, stderr=output
            )
        try:
            yield child.pid
        finally:
            child.terminate()
            child.wait(40)


@contextmanager
def running(database_url: str | None = None, *platform_options: str, **settings: str) -> Iterator[Rig]:
    """Start Redis, SQS and the simulated platform; `settings` are environment variables."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huntaze-bench-")))
        for part in ("redis", "aws", "platform"):
            (directory / part).mkdir()
        redis_url = stack.enter_context(redis_server.running(directory / "redis"))
        endpoint = stack.enter_context(aws.running(directory / "aws"))
        platform_url = stack.enter_context(platform_process.running(directory / "platform", *platform_options))
        environment = (
            os.environ
            | {
                "BENCH_DIRECTORY": str(directory),
                "DATABASE_URL": database_url or f"sqlite:///{directory}/bench.sqlite3",
                "REDIS_URL": redis_url,
                "AWS_ENDPOINT_URL": endpoint.url,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench",
                "SQS_RATE_LIMITER_QUEUE": endpoint.queue_url,
                "SQS_RATE_LIMITER_DLQ": endpoint.dlq_url,
                "ONLY_FANS_API_BASE_URL": platform_url,
                "ONLYFANSAPI_API_KEY": platform_process.KEY,
                "API_RATE_LIMITS": "off",
                "LOG_LEVEL": "WARNING",
            }
            | settings
        )
        os.environ.update({k: environment[k] for k in environment if k.startswith("AWS_")})
        app = create_app(config.load(environment))
        with app.app_context():
            db.create_all()
        yield Rig(environment, app, platform_url, redis_url)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and the children that it has (Linux)."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
