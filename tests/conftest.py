"""The strict bench: real parts on this machine, a standing cast, and nothing that reaches outside."""

import gc
import os
from collections.abc import Iterator
from functools import cache

import boto3
import pytest
from argon2 import PasswordHasher, profiles
from hypothesis import settings as hypothesis_settings

from app.accounts import service as accounts
from tests.support import network

pytest_plugins = (
    "tests.support.parts",
    "tests.support.databases",
    "tests.support.apps",
    "tests.support.cast",
    "tests.support.browser",
    "tests.support.scheduling",
)
# Whoever runs the tests may have a real deployment in their shell: none of it may be reached from here.
OURS = ("AWS_", "SQS_", "RATE_LIMIT", "ONLYFANS", "ONLY_FANS_", "REDIS_", "DATABASE_", "CLOUDWATCH_", "APP_ENV")

STANDS_BACK = 5

hypothesis_settings.register_profile("bench", max_examples=30, deadline=None, database=None, print_blob=True)
hypothesis_settings.load_profile("bench")
network.stay_on_this_machine()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for `any_database` on SQLite and on PostgreSQL."""
    if "any_database" in metafunc.fixturenames:
        kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
        metafunc.parametrize("database_kind", kinds)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end; with every look it would go through all of it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Journeys watch the clock and mostly wait: whatever else runs beside them stands back."""
    if "PYTEST_XDIST_WORKER" in os.environ and not item.get_closest_marker("journey"):
        os.setpriority(os.PRIO_PROCESS, 0, STANDS_BACK)


@pytest.fixture(scope="session", autouse=True)
def empty_environment() -> Iterator[None]:
    """Forget the shell's own settings while the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OURS)]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash with argon2's cheapest parameters: the same code, a thousand times faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "hasher", cache(lambda: PasswordHasher.from_parameters(profiles.CHEAPEST)))
        yield


@pytest.fixture(scope="session", autouse=True)
def aws_session_made_once() -> Iterator[None]:
    """Give every client the same session: to make one, with boto3's files about services, is most of its start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3.session, "Session", cache(boto3.session.Session))
        yield
