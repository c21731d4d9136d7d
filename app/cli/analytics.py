"""`flask analytics`: the roll-ups that figures are added up from."""

import click

from app.analytics import service
from app.cli.group import Group

analytics = Group("analytics", help="The daily figures that reports are added up from.")


@analytics.command()
def rebuild() -> None:
    """Count everything again from the transactions.

    Safe at any time: every account is counted in one transaction, and the result is the same as what the worker keeps
    up to date by itself. Needed only after transactions were changed by hand in the database, past the program.
    """
    accounts = service.rebuild()
    click.echo(f"The figures of {accounts} account{'' if accounts == 1 else 's'} were counted again.")
