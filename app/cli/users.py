"""`flask users`: who may sign in."""

import re
import sys

import click
from email_validator import EmailNotValidError, validate_email

from app.accounts import operating
from app.accounts.models import Role
from app.cli.group import Group

NAME_LENGTH = 100
PLATFORM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
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
def reset_second_factor(email: str) -> None:
    """Turn EMAIL's second factor off, when phone and recovery codes are lost, and sign them out everywhere.

    Make sure that it is really them who ask: from then on their password alone opens their account.
    """
    operating.reset_second_factor(email)
    click.echo(f"{email} signs in without a code now.")


@users.command()
@click.argument("email")
def disable(email: str) -> None:
    """Lock EMAIL out: no sign-in, and every session and token ends at once.

    Accounts, fans and messages stay as they are, and what was queued is still delivered: to stop that too, use
    `flask limiter off --account`.
    """
    operating.disable(email)
    click.echo(f"{email} can't sign in any more.")


def _platform_id(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not PLATFORM_ID.fullmatch(value):
        raise click.BadParameter("use the account's id at the platform, such as acct_abc123")
    return value


@users.command()
@click.argument("email")
@click.argument("platform_id", metavar="ACCT_ID", callback=_platform_id)
def assign(email: str, platform_id: str) -> None:
    """Let EMAIL, a creator, connect the account ACCT_ID with the deployment's own key.

    In production the deployment's key would else let anybody connect any account that it lists. Whoever enters a key
    of their own needs no assignment. Assigning an account again, to somebody else, takes it from the one before;
    an account that is connected already stays so.
    """
    operating.assign(email, platform_id)
    click.echo(f"{email} may connect {platform_id}.")


def _read_password() -> str:
    if sys.stdin.isatty():
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")
