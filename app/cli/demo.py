"""`flask demo load`: invented people, fans and conversations to look around with."""

import click
from flask import current_app
from sqlalchemy import select

from app.accounts.models import Account
from app.cli import demo_people, demo_rows
from app.cli.group import Group
from app.extensions import db

demo = Group("demo", help="Invented people and conversations, for looking around.")


@demo.command()
def load() -> None:
    """Load the demo, unless it is there already.

    Makes the creators ada@example.com, bea@example.com and eve@example.com with an account each, the manager
    max@example.com of Ada's and Bea's, and the operator olga@example.com; their password is demo-password-1. Ada has
    some forty fans who write, many more who don't, and two years of messages and payments. One message is scheduled
    for tomorrow and will be sent then; nothing else of the demo is ever sent.

    Refused in production, because everybody knows the password.
    """
    if current_app.extensions["settings"].production:
        raise click.ClickException("The demo's password is public: it is not loaded in production.")
    if db.session.scalar(select(Account.id).where(Account.platform_id == demo_people.ACCOUNTS[0].platform_id)):
        click.echo("The demo is there already.")
        return
    fans, messages, payments = demo_rows.insert()
    click.echo(f"The demo is there: {fans} fans, {messages} messages and {payments} payments.")
