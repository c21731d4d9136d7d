"""`flask limiter`: the emergency stop. Messages are accepted and kept, and none is sent."""

import click
from flask import current_app

from app.accounts import operating
from app.cli.group import Group
from app.clock import iso
from app.delivery import stop

limiter = Group("limiter", help="The emergency stop: messages are accepted and kept, and none is sent.")
account_option = click.option("--account", metavar="acct_…", help="Only this account instead of everybody.")


@limiter.command()
@account_option
def off(account: str | None) -> None:
    """Stop sending, for everybody or for one account.

    Takes effect at once in every worker, without a restart, and stays until `flask limiter on`. A call that is on
    its way to the platform already is not called back. Nothing is lost: what people write meanwhile is queued.
    """
    if account is None:
        stop.set_stop(None)
        click.echo("Stopped: nothing is sent for anybody. `flask limiter on` goes on.")
    else:
        operating.stop(account)
        click.echo(f"Stopped: nothing is sent for {account}. `flask limiter on --account {account}` goes on.")


@limiter.command()
@account_option
def on(account: str | None) -> None:
    """Go on sending, for everybody or for one account.

    What was queued meanwhile goes out at the usual pace. An account that was stopped by itself stays stopped when
    everybody goes on.
    """
    if account is None:
        stop.clear_stop(None)
        click.echo("Sending goes on.")
    else:
        operating.resume(account)
        click.echo(f"Sending goes on for {account}.")
    _show()


@limiter.command()
def status() -> None:
    """Say whether anything is stopped, and since when."""
    _show()


def _show() -> None:
    if not current_app.extensions["settings"].limiter_enabled:
        click.echo("RATE_LIMITER_ENABLED is off: nothing is sent until it is on and the worker was restarted.")
    click.echo(f"Everybody: {'stopped' if stop.is_stopped() else 'sending'}")
    for account in operating.stopped():
        click.echo(f"{account.platform_id}: stopped since {iso(account.stopped_at)}")
