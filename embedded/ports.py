"""Loopback ports: free ones, kept from one start to the next where others have learned them."""

import json
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on that port now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server that fade away don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def is_ours(host: str) -> bool:
    """Tell whether a server on this machine could listen on that address at all."""
    return is_free(0, host)


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether something accepts connections on that port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def free() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def kept(name: str, directory: Path) -> int:
    """Return the port that `directory` keeps for `name` if it is still free, else a new one, kept from now on."""
    file = directory / "ports.json"
    ports = _read(file)
    if name not in ports or not is_free(ports[name]):
        ports[name] = free()
        file.write_text(json.dumps(ports, indent=2) + "\n")
    return ports[name]


def _read(file: Path) -> dict[str, int]:
    """Return the kept ports; none if the file isn't there or was spoiled, as by a full disk."""
    try:
        ports: dict[str, int] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return ports
