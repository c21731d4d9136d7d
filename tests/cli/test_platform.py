"""`flask platform webhooks`: our address is registered with every key, and checked."""

import httpx
import pytest
from flask import Flask

from app.accounts.connection import Keys
from app.extensions import db
from embedded.platform_process import KEY
from tests.inbound.told import message, tell, work_off
from tests.support.apps import PRODUCTION, MakeApp, RunCli
from tests.support.cast import Cast

URL = "https://crm.example.com/api/onlyfans/webhooks"


@pytest.fixture
def deployed(make_app: MakeApp, platform: str) -> Flask:
    """An app that knows its address."""
    return make_app(PUBLIC_URL="https://crm.example.com/", WEBHOOK_SECRET="signs-everything")


def registered(platform: str, key: str = KEY) -> list[dict[str, object]]:
    """What the platform has, for a team."""
    answer = httpx.get(f"{platform}/api/webhooks", headers={"Authorization": f"Bearer {key}"})
    found: list[dict[str, object]] = answer.json()["data"]
    return found


def test_installing_twice_registers_once(run_cli: RunCli, deployed: Flask, platform: str) -> None:
    before = run_cli("platform", "webhooks", "check", on=deployed)
    assert (before.exit_code, "isn't registered" in before.output) == (1, True)
    for _ in range(2):
        assert run_cli("platform", "webhooks", "install", on=deployed).exit_code == 0
    (found,) = registered(platform)
    assert (found["endpoint_url"], found["has_signing_secret"], found["enabled"]) == (URL, True, True)
    after = run_cli("platform", "webhooks", "check", on=deployed)
    assert (after.exit_code, URL in after.output) == (0, True)


def test_what_was_changed_there_is_found_and_mended(run_cli: RunCli, deployed: Flask, platform: str) -> None:
    run_cli("platform", "webhooks", "install", on=deployed)
    path = f"{platform}/api/webhooks/{registered(platform)[0]['id']}"
    wish = {"endpoint_url": URL, "events": ["messages.sent"], "account_scope": "global"}
    httpx.put(path, json=wish, headers={"Authorization": f"Bearer {KEY}"})
    found = run_cli("platform", "webhooks", "check", on=deployed)
    assert (found.exit_code, "aren't told: messages.received" in found.output) == (1, True)
    run_cli("platform", "webhooks", "install", on=deployed)
    assert run_cli("platform", "webhooks", "check", on=deployed).exit_code == 0


def test_an_accounts_own_key_is_registered_too(run_cli: RunCli, deployed: Flask, platform: str, cast: Cast) -> None:
    httpx.post(f"{platform}/_sim/keys", json={"key": "adas-own-key-1234"})
    settings = deployed.extensions["settings"]
    cast.account.api_key_encrypted = Keys(settings.encryption_key, None).encrypt("adas-own-key-1234")
    db.session.commit()
    output = run_cli("platform", "webhooks", "install", on=deployed).output
    assert "The key …1234" in output
    assert "adas-own-key" not in output


def test_what_was_told_is_counted(run_cli: RunCli, deployed: Flask, cast: Cast) -> None:
    tell("messages.received", message(1, 1001, 5))
    tell("something.unheard_of", None)
    work_off()
    output = run_cli("platform", "webhooks", "check", on=deployed).output
    assert "messages.received: 1 done" in output
    assert "something.unheard_of: 1 ignored" in output


def test_without_an_address_or_a_secret_it_says_what_to_do(run_cli: RunCli, make_app: MakeApp) -> None:
    assert "PUBLIC_URL" in run_cli("platform", "webhooks", "install").output
    live = make_app(PUBLIC_URL="https://crm.example.com", **PRODUCTION)
    assert "WEBHOOK_SECRET" in run_cli("platform", "webhooks", "install", on=live).output
