"""The command line door: `flask analytics`, `aws`, `demo`, `limiter`, `platform` and `users`."""

from flask import Flask

from app.cli.analytics import analytics
from app.cli.aws import aws
from app.cli.demo import demo
from app.cli.limiter import limiter
from app.cli.platform import platform
from app.cli.users import users


def init_app(app: Flask) -> None:
    """Add the commands; every one explains itself with `--help`."""
    for group in (analytics, aws, demo, limiter, platform, users):
        app.cli.add_command(group)
