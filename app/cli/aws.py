"""`flask aws`: queues, alarms and dashboard on AWS, and what an operator does to tickets."""

import click
from flask import current_app

from app.cli.group import Group
from app.clock import iso
from app.delivery import dead_letters, purging
from app.delivery.desk import Desk
from app.gateways import alarms, dashboard, queues
from app.gateways import aws as gateway
from app.gateways.queues import Names
from config import Settings

TIMEOUT = 10.0
SHOWN = 100
NO_METRICS = "CLOUDWATCH_NAMESPACE is off: no alarms, no dashboard."
aws = Group("aws", help="Queues, alarms and dashboard on AWS; tickets on the queue and in the dead letters.")


@aws.command()
@click.option("--notify", multiple=True, metavar="ARN", help="An SNS topic that alarms tell; else who is told stays.")
def provision(notify: tuple[str, ...]) -> None:
    """Make the two queues, the five alarms and the dashboard what they should be; may be run again at any time."""
    settings, names = _settings(), _names()
    with gateway.client("sqs", settings.aws_region, TIMEOUT) as sqs:
        urls, changed = queues.provision(sqs, names)
    _tell("queue", [names.queue, names.dead_letters], changed)
    namespace = settings.cloudwatch_namespace
    if namespace is None:
        click.echo(NO_METRICS)
    else:
        with gateway.client("cloudwatch", settings.aws_region, TIMEOUT) as cloudwatch:
            _tell("alarm", [alarm.name for alarm in alarms.ALARMS], alarms.provision(cloudwatch, namespace, notify))
            drawn = dashboard.provision(cloudwatch, _dashboard(settings, namespace, names))
            _tell("dashboard", [dashboard.NAME], [dashboard.NAME] if drawn else [])
    click.echo(f"SQS_RATE_LIMITER_QUEUE={urls[names.queue]}")
    click.echo(f"SQS_RATE_LIMITER_DLQ={urls[names.dead_letters]}")


@aws.command()
def check() -> None:
    """Say what is missing or differs; exit code 1 when anything does."""
    settings, names = _settings(), _names()
    with gateway.client("sqs", settings.aws_region, TIMEOUT) as sqs:
        faults = queues.faults(sqs, names)
    namespace = settings.cloudwatch_namespace
    if namespace is None:
        click.echo(NO_METRICS)
    else:
        with gateway.client("cloudwatch", settings.aws_region, TIMEOUT) as cloudwatch:
            faults += alarms.faults(cloudwatch, namespace)
            faults += [dashboard.fault(cloudwatch, _dashboard(settings, namespace, names)) or ""]
    for fault in filter(None, faults):
        click.echo(fault)
    if any(faults):
        raise click.ClickException("`flask aws provision` mends it.")
    click.echo("Everything is as it should be.")


@aws.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--cancel-queued", is_flag=True, help="Also cancel every queued message, of everybody.")
def purge(yes: bool, cancel_queued: bool) -> None:
    """Empty the queue.

    Tickets are dropped, messages are not: what is still to be sent gets a new ticket within a minute or two, unless
    it is canceled. Messages that may have arrived already are never canceled.
    """
    what = "Drop every ticket, and cancel every queued message of everybody" if cancel_queued else "Drop every ticket"
    if not yes:
        click.confirm(f"{what}?", abort=True)
    canceled = purging.purge(_desk(), None, cancel_queued=cancel_queued)
    click.echo(f"The queue is empty in a minute; {canceled} messages were canceled.")


@aws.command()
@click.argument("letter", required=False)
@click.option("--all", "everything", is_flag=True, help="All dead letters, up to 1,000 at once.")
def redrive(letter: str | None, everything: bool) -> None:
    """Give dead letters another chance, or list them when none is named.

    The letter of a message that failed is a retry: a new message is queued, once. A letter without a message goes
    back to the queue as it came.
    """
    if everything:
        done = dead_letters.redrive_all(_desk(), None)
        click.echo(f"{done.retried} messages retried, {done.returned} tickets back on the queue.")
        click.echo(f"{done.dropped} dropped that were settled already; {done.refused} can't go again and stay.")
    elif letter is not None:
        kind = dead_letters.redrive(_desk(), None, letter)
        retried = kind is dead_letters.Kind.FAILED
        click.echo("Its message is queued again." if retried else "The ticket is back on the queue.")
    else:
        _list()


def _list() -> None:
    found = dead_letters.look(_desk(), None, SHOWN)
    for letter in found:
        click.echo(f"{letter.id}  {iso(letter.since)}  {letter.kind}  {letter.message_id or '-'}  {letter.reason}")
    click.echo(f"{len(found)} dead letters" + (f" (the first {SHOWN})" if len(found) >= SHOWN else ""))


def _tell(kind: str, names: list[str], changed: list[str]) -> None:
    for name in names:
        click.echo(f"{kind} {name}: {'made or mended' if name in changed else 'as it should be'}")


def _dashboard(settings: Settings, namespace: str, names: Names) -> dict[str, object]:
    return dashboard.body(namespace, settings.aws_region, names.queue, names.dead_letters)


def _names() -> Names:
    settings = _settings()
    return Names.of(settings.sqs_queue_url, settings.sqs_dlq_url)


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def _desk() -> Desk:
    found: Desk = current_app.extensions["desk"]
    return found
