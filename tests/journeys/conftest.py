"""What journeys start from: one house per process of the tests, tidied up after each, and others on demand."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys.authors import Author
from tests.journeys.house import House, Open, open_house
from tests.support.databases import TEMPLATE, Postgres

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a journey."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def _shared_house(_sqlite_template: Path, workshop: Path) -> Iterator[House]:
    file = workshop / "journeys.sqlite3"
    shutil.copyfile(_sqlite_template, file)
    with open_house(f"sqlite:///{file}") as house:
        yield house


@pytest.fixture(scope="session")
def _shared_postgres_house(_postgres: Postgres) -> Iterator[House]:
    with _postgres.database(TEMPLATE) as url, open_house(url) as house:
        yield house


@pytest.fixture
def house(_shared_house: House) -> Iterator[House]:
    """A house on SQLite whose worker delivers."""
    yield from _in_order(_shared_house)


@pytest.fixture
def postgres_house(_shared_postgres_house: House) -> Iterator[House]:
    """A house on PostgreSQL whose worker delivers."""
    yield from _in_order(_shared_postgres_house)


@pytest.fixture(params=["house", pytest.param("postgres_house", marks=pytest.mark.postgres)])
def any_house(request: pytest.FixtureRequest) -> House:
    """Ask for this to run a journey on both databases."""
    found: House = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def author(house: House) -> Author:
    """A creator of this journey's own in `house`."""
    return house.author()


@pytest.fixture
def open_another(_sqlite_template: Path, tmp_path: Path) -> Iterator[Open]:
    """`open_another(RATE_LIMITER_ENABLED="off")`: a house of this journey's own on SQLite, without a worker."""
    with ExitStack() as stack:

        def another(simulate: tuple[str, ...] = (), **overrides: str) -> House:
            file = tmp_path / "house.sqlite3"
            shutil.copyfile(_sqlite_template, file)
            return stack.enter_context(open_house(f"sqlite:///{file}", simulate, **overrides))

        yield another


def _in_order(house: House) -> Iterator[House]:
    if not house.workers:
        house.start_worker()
    yield house
    house.recover()
