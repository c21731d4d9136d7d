"""The command line door: `flask demo`, `flask users`."""

from flask import Flask

from app.cli.demo import demo
from app.cli.users import users


def init_app(app: Flask) -> None:
    """Add the commands; every one explains itself with `--help`."""
    for group in (demo, users):
        app.cli.add_command(group)
