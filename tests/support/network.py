"""Sockets lead nowhere but to this machine."""

import ipaddress
import socket
import sys
from functools import cache


class OutsideError(RuntimeError):
    """A test tried to reach another machine."""


@cache
def stay_on_this_machine() -> None:
    """Refuse, until the process ends, every connection but to loopback addresses and unix sockets."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        connection, address = arguments
        if isinstance(connection, socket.socket) and isinstance(address, tuple) and not _is_here(address[0]):
            raise OutsideError(f"tests stay on this machine, and this was for {address}")
    elif event == "socket.getaddrinfo" and not _is_here(arguments[0]):
        raise OutsideError(f"tests stay on this machine, and this asked for {arguments[0]}")


def _is_here(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
