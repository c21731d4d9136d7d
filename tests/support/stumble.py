"""A transaction that fails in the end."""

from collections.abc import Callable

from app.db import transaction


class Stumble(Exception):
    """Something went wrong in the middle."""


def stumble_after(*steps: Callable[[], object]) -> None:
    """Take the steps in a transaction that fails in the end."""
    with transaction():
        for step in steps:
            step()
        raise Stumble
