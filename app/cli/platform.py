"""`flask platform`: what the platform is told about this deployment."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app

import config
from app.accounts.connection import Keys, KeyUnreadable
from app.cli.group import Group
from app.gateways import webhooks as gateway
from app.gateways.answers import CallFailed
from app.gateways.platform import OnlyFansPlatform
from app.inbound import queries

platform = Group("platform", help="What the platform knows of this deployment.")


@platform.group()
def webhooks() -> None:
    """Have the platform tell us what happens."""


@webhooks.command()
def install() -> None:
    """Register our address with every platform key in use; may be run again at any time.

    The address is PUBLIC_URL with /api/onlyfans/webhooks. What is told is signed with WEBHOOK_SECRET; to change the
    secret, keep the old one as WEBHOOK_PREVIOUS_SECRET, restart, run this again, and forget the old one a day later.
    """
    settings = _settings()
    url = _address(settings)
    if settings.production and not settings.webhook_secret:
        raise click.ClickException("Set WEBHOOK_SECRET first: in production, events that nobody signed are refused.")
    with _platform(settings) as at_platform:
        for name, api_key in _keys(settings):
            try:
                gateway.register(at_platform, api_key, url, settings.webhook_secret)
            except CallFailed as error:
                raise click.ClickException(f"{name}: {error.reason}") from error
            click.echo(f"{name}: the platform tells {url}")


@webhooks.command()
def check() -> None:
    """Say whether the platform tells us everything, and what it told lately; exit code 1 when something is missing."""
    settings = _settings()
    url = _address(settings)
    signed, faults = settings.webhook_secret is not None, 0
    with _platform(settings) as at_platform:
        for name, api_key in _keys(settings):
            try:
                fault = _fault(gateway.registered(at_platform, api_key, url), signed)
            except CallFailed as error:
                fault = error.reason
            faults += fault is not None
            click.echo(f"{name}: {fault or f'the platform tells {url}'}")
    for (event, outcome), count in queries.counts().items():
        click.echo(f"  {event}: {count} {outcome}")
    if faults:
        raise click.ClickException("`flask platform webhooks install` mends what is missing.")


def _fault(found: gateway.Registered | None, signed: bool) -> str | None:
    if found is None:
        return "our address isn't registered"
    if not found.enabled:
        return "our address is registered, but switched off"
    if found.missing:
        return f"these events aren't told: {', '.join(found.missing)}"
    if signed != found.signed:
        return (
            "the platform doesn't sign what it tells" if signed else "the platform signs, but WEBHOOK_SECRET is unset"
        )
    return None


def _settings() -> config.Settings:
    found: config.Settings = current_app.extensions["settings"]
    return found


def _address(settings: config.Settings) -> str:
    if settings.public_url is None:
        raise click.ClickException("Set PUBLIC_URL: the platform must know where this deployment answers.")
    return gateway.Address.below(settings.public_url, None).url


@contextmanager
def _platform(settings: config.Settings) -> Iterator[OnlyFansPlatform]:
    platform = OnlyFansPlatform(settings.platform_base_url, settings.platform_timeout)
    with platform.http:
        yield platform


def _keys(settings: config.Settings) -> Iterator[tuple[str, str]]:
    """What people call a key, and the key: the deployment's, and those that accounts bring along."""
    keys, seen = Keys(settings.encryption_key, settings.platform_api_key), set[str]()
    if settings.platform_api_key:
        yield "The deployment's key", settings.platform_api_key
    for stored in queries.own_keys():
        try:
            api_key = keys.decrypt(stored)
        except KeyUnreadable as error:
            click.echo(f"Skipped: {error}", err=True)
            continue
        if api_key not in seen and api_key != settings.platform_api_key:
            seen.add(api_key)
            yield f"The key …{api_key[-4:]}", api_key
