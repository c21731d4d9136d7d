"""What is configured is used; the rest is embedded."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from embedded import database, plan
from embedded.platform_process import KEY

WISHES = plan.Wishes(host="127.0.0.1", port=8000)
REAL = {
    "DATABASE_URL": "postgresql://db.example.com/huntaze",
    "REDIS_URL": "rediss://redis.example.com",
    "SQS_RATE_LIMITER_QUEUE": "https://sqs.example.com/1/queue",
    "ONLY_FANS_API_BASE_URL": "https://platform.example.com",
}


def names(parts: object) -> list[str]:
    """Return the names of parts, in their order."""
    return [part.name for part in parts]  # type: ignore[attr-defined]


def told(environment: dict[str, str], var: Path, wishes: plan.Wishes = WISHES) -> dict[str, str]:
    """Return the variables that the web process and the worker get; they get the same."""
    web, worker = plan.make(environment, var, wishes).product
    assert web.environment is not None
    assert web.environment == worker.environment
    return dict(web.environment)


def fill(folder: Path, newest: bool, demo: bool) -> None:
    """Make a database file that has the newest tables or not, the demo's account or not."""
    numbers = [file.name.split("_")[0] for file in database.VERSIONS.glob("0*.py")]
    with closing(sqlite3.connect(folder / database.NAME)) as file, file:
        file.execute("CREATE TABLE alembic_version (version_num)")
        file.execute("INSERT INTO alembic_version VALUES (?)", [max(numbers) if newest else "0000"])
        file.execute("CREATE TABLE account (platform_id)")
        if demo:
            file.execute("INSERT INTO account VALUES (?)", [database.DEMO_ACCOUNT])


def test_with_nothing_configured_everything_is_embedded(tmp_path: Path) -> None:
    everything = plan.make({}, tmp_path, WISHES)
    assert names(everything.embedded) == ["redis", "aws", "platform"]
    assert names(everything.product) == ["web", "worker"]


def test_the_product_is_told_where_the_embedded_parts_are(tmp_path: Path) -> None:
    environment = told({}, tmp_path)
    assert environment["DATABASE_URL"] == f"sqlite:///{tmp_path}/huntaze.sqlite3"
    assert environment["REDIS_URL"] == f"unix://{tmp_path}/redis.sock"
    assert environment["SQS_RATE_LIMITER_QUEUE"].startswith(environment["AWS_ENDPOINT_URL"] + "/")
    assert environment["SQS_RATE_LIMITER_DLQ"] == environment["SQS_RATE_LIMITER_QUEUE"] + "-dlq"
    assert environment["ONLYFANSAPI_API_KEY"] == KEY


def test_what_is_configured_is_used_as_it_is(tmp_path: Path) -> None:
    assert names(plan.make(REAL, tmp_path, WISHES).embedded) == []
    assert told(REAL, tmp_path) == REAL


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("REDIS_URL", "redis"),
        ("AWS_ENDPOINT_URL", "aws"),
        ("SQS_RATE_LIMITER_QUEUE", "aws"),
        ("ONLY_FANS_API_BASE_URL", "platform"),
    ],
)
def test_each_part_is_embedded_unless_it_is_configured(tmp_path: Path, name: str, part: str) -> None:
    assert part not in names(plan.make({name: "http://there.example.com"}, tmp_path, WISHES).embedded)
    assert part in names(plan.make({name: " "}, tmp_path, WISHES).embedded)


def test_addresses_stay_the_same_from_one_start_to_the_next(tmp_path: Path) -> None:
    assert told({}, tmp_path) == told({}, tmp_path)


def test_credentials_of_this_machine_do_not_go_to_the_embedded_endpoint(tmp_path: Path) -> None:
    mine = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "mine", "AWS_ACCESS_KEY_ID": "mine"}
    environment = told(mine, tmp_path)
    assert environment["AWS_ACCESS_KEY_ID"] != "mine"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & environment.keys()


def test_what_to_simulate_is_handed_on(tmp_path: Path) -> None:
    wishes = plan.Wishes(host="127.0.0.1", port=8000, simulate=["error-rate=0.2", "latency=1"])
    platform = plan.make({}, tmp_path, wishes).embedded[-1]
    assert list(platform.command)[-4:] == ["--simulate", "error-rate=0.2", "--simulate", "latency=1"]


def test_fans_live_with_the_demo_and_are_heard_where_the_product_listens(tmp_path: Path) -> None:
    wishes = plan.Wishes(host="0.0.0.0", port=8123)
    platform, (web, _) = plan.make({}, tmp_path, wishes).embedded[-1], plan.make({}, tmp_path, wishes).product
    command = list(platform.command)
    assert command[command.index("--webhook") + 1] == "http://127.0.0.1:8123/api/onlyfans/webhooks"
    assert web.environment is not None
    assert command[command.index("--webhook-secret") + 1] == web.environment["WEBHOOK_SECRET"]
    assert command[-2:] == ["--simulate", "fans=on"]
    alone = plan.make({}, tmp_path, plan.Wishes(host="127.0.0.1", port=8000, demo=False)).embedded[-1]
    assert "fans=on" not in alone.command


def test_a_secret_of_ones_own_signs_the_webhooks(tmp_path: Path) -> None:
    platform = plan.make({"WEBHOOK_SECRET": "mine"}, tmp_path, WISHES).embedded[-1]
    assert platform.command[list(platform.command).index("--webhook-secret") + 1] == "mine"


def test_a_new_database_gets_its_tables_and_the_demo(tmp_path: Path) -> None:
    task = plan.make({}, tmp_path, WISHES).database
    assert task is not None
    assert list(task.command)[-2:] == ["db upgrade", "demo load"]


def test_a_database_of_ones_own_is_prepared_too(tmp_path: Path) -> None:
    task = plan.make(REAL, tmp_path, WISHES).database
    assert task is not None
    assert task.environment is not None
    assert task.environment["DATABASE_URL"] == REAL["DATABASE_URL"]


def test_one_that_is_prepared_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, newest=True, demo=True)
    assert plan.make({}, tmp_path, WISHES).database is None


def test_one_without_the_newest_tables_is_not_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, newest=False, demo=True)
    assert plan.make({}, tmp_path, WISHES).database is not None


def test_one_without_the_demo_is_left_alone_only_if_none_is_wanted(tmp_path: Path) -> None:
    fill(tmp_path, newest=True, demo=False)
    assert plan.make({}, tmp_path, WISHES).database is not None
    assert plan.make({}, tmp_path, plan.Wishes(host="127.0.0.1", port=8000, demo=False)).database is None


def test_without_demo_no_demo_is_loaded(tmp_path: Path) -> None:
    bare = plan.make({}, tmp_path, plan.Wishes(host="127.0.0.1", port=8000, demo=False))
    assert bare.database is not None
    assert list(bare.database.command)[-1] == "db upgrade"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("192.0.2.7", "http://192.0.2.7:8001"),
    ],
)
def test_the_page_is_where_people_can_open_it(tmp_path: Path, host: str, url: str) -> None:
    assert plan.make({}, tmp_path, plan.Wishes(host=host, port=8001)).url == url
