"""A group of commands that says what went wrong in one line instead of a traceback."""

import click
from flask.cli import AppGroup

from app.errors import HuntazeError, Invalid


class Group(AppGroup):
    """Commands inside the app's context; a refusal of a room is printed, and ends with exit code 1."""

    def invoke(self, context: click.Context) -> object:
        """Run the command that was named."""
        try:
            return super().invoke(context)
        except Invalid as error:
            faults = [f"{problem.field}: {problem.message}" for problem in error.problems]
            raise click.ClickException("; ".join(faults)) from error
        except HuntazeError as error:
            raise click.ClickException(error.message) from error
