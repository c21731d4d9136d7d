"""The strict bench: real parts on this machine, a standing cast, and nothing that reaches outside."""

import os
from collections.abc import Iterator
from functools import cache

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
)
# Whoever runs the tests may have a real deployment in their shell: none of it may be reached from here.
OURS = ("AWS_", "SQS_", "RATE_LIMIT", "ONLYFANS", "ONLY_FANS_", "REDIS_", "DATABASE_", "CLOUDWATCH_", "APP_ENV")

hypothesis_settings.register_profile("bench", deadline=None, database=None, print_blob=True)
hypothesis_settings.load_profile("bench")
network.stay_on_this_machine()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for `any_database` on SQLite and on PostgreSQL."""
    if "any_database" in metafunc.fixturenames:
        kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
        metafunc.parametrize("database_kind", kinds)


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
