"""`flask users`: who may sign in."""

import sys

import click
from email_validator import EmailNotValidError, validate_email

from app.accounts import operating
from app.accounts.models import Role
from app.cli.group import Group

NAME_LENGTH = 100
users = Group("users", help="Create users, set their passwords, and lock them out.")


def _email(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from error


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not 1 <= len(value.strip()) <= NAME_LENGTH:
        raise click.BadParameter(f"use 1 to {NAME_LENGTH} characters")
    return value.strip()


@users.command()
@click.argument("email", callback=_email)
@click.option("--name", required=True, callback=_name, help="How they are called on the pages.")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="creator: owns accounts. manager: works on accounts to which a creator invites them. "
    "operator: runs the deployment and sees no fan and no message.",
)
def create(email: str, name: str, role: str) -> None:
    """Create a user who signs in with EMAIL.

    The password is asked for twice without showing it, or read from the first line of standard input:

    \b
        flask users create ada@example.com --name "Ada Moreau" --role creator <password.txt
    """
    operating.create_user(email, name, Role(role), _read_password())
    click.echo(f"{email} can sign in now, as {role}.")


@users.command()
@click.argument("email")
def password(email: str) -> None:
    """Set a new password for EMAIL, and sign them out everywhere.

    It is asked for twice without showing it, or read from the first line of standard input. Sessions in browsers
    and tokens of the API that were given out before stop working at once.
    """
    operating.user(email)
    operating.set_password(email, _read_password())
    click.echo(f"The password of {email} is set; they are signed out everywhere.")


@users.command()
@click.argument("email")
def disable(email: str) -> None:
    """Lock EMAIL out: no sign-in, and every session and token ends at once.

    Accounts, fans and messages stay as they are, and what was queued is still delivered: to stop that too, use
    `flask limiter off --account`.
    """
    operating.disable(email)
    click.echo(f"{email} can't sign in any more.")


def _read_password() -> str:
    if sys.stdin.isatty():
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")
