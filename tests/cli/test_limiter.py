"""`flask limiter` stops and resumes sending, for everybody or for one account, and says how it stands."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import select

from app.accounts.models import Account, AuditEvent
from app.delivery import stop
from app.extensions import db
from config import ROOT
from tests.support.apps import Environment, RunCli


def _is_stopped(account: Account) -> bool:
    return db.session.scalar(select(Account.stopped_at).where(Account.id == account.id)) is not None


@pytest.mark.usefixtures("any_database")
def test_everybody_is_stopped_and_goes_on(run_cli: RunCli) -> None:
    assert "sending" in run_cli("limiter", "status").output
    assert run_cli("limiter", "off").exit_code == 0
    assert stop.is_stopped()
    assert "Everybody: stopped" in run_cli("limiter", "status").output
    assert run_cli("limiter", "off").exit_code == 0
    assert run_cli("limiter", "on").exit_code == 0
    assert not stop.is_stopped()
    assert "Everybody: sending" in run_cli("limiter", "status").output


def test_flask_finds_our_commands_and_not_a_plugins(environment: Environment) -> None:
    command = [sys.executable, "-m", "flask", "--app", "app", "limiter", "status"]
    known = os.environ | environment()
    result = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout) == (0, "Everybody: sending\n"), result.stderr


@pytest.mark.usefixtures("any_database")
def test_one_account_is_stopped_by_itself(run_cli: RunCli, account: Account) -> None:
    assert run_cli("limiter", "off", "--account", "acct_demo_ada").exit_code == 0
    assert _is_stopped(account)
    assert not stop.is_stopped()
    assert "acct_demo_ada: stopped since" in run_cli("limiter", "status").output
    assert "acct_demo_ada: stopped since" in run_cli("limiter", "on").output
    assert run_cli("limiter", "on", "--account", "acct_demo_ada").exit_code == 0
    assert not _is_stopped(account)
    actions = db.session.scalars(select(AuditEvent.action).where(AuditEvent.account_id == account.id))
    assert set(actions) == {"account.stopped", "account.resumed"}


@pytest.mark.parametrize("command", ["off", "on"])
def test_an_account_that_is_not_there_is_one_line(run_cli: RunCli, command: str) -> None:
    result = run_cli("limiter", command, "--account", "acct_nobody")
    assert (result.exit_code, result.output) == (1, "Error: No account acct_nobody is connected\n")
