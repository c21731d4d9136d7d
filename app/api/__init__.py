"""The JSON door."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Open this door."""
