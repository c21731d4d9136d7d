"""`bin/run` refuses in one clear line what can't work, before anything is started."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import ports, run


def refusal(state: Path, *arguments: str, **environment: str) -> str:
    """Run the supervisor and return its only line; fail if it did more than that."""
    done = subprocess.run(
        [sys.executable, "-m", "embedded.run", "--state", state, *arguments],
        env={"PATH": os.environ["PATH"], "PORT": str(ports.free()), **environment},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert not (state / "log").exists()
    return done.stderr.removesuffix("\n")


@pytest.fixture
def taken() -> Iterator[int]:
    """Listen on a port, as another program would."""
    with socket.socket() as server:
        server.bind((ports.LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_in_use(tmp_path: Path, taken: int) -> None:
    line = refusal(tmp_path, PORT=str(taken))
    assert line == f"Port {taken} is in use; choose another: PORT={taken + 1} bin/run"


def test_an_address_that_is_not_this_machines(tmp_path: Path) -> None:
    assert refusal(tmp_path, HOST="192.0.2.1", PORT="8000").startswith("This machine can't listen on 192.0.2.1;")


def test_a_second_run_in_the_same_folder(tmp_path: Path) -> None:
    with run.only_one(tmp_path):
        assert refusal(tmp_path) == f"bin/run already runs here (process {os.getpid()}); stop that one first."


def test_a_run_after_another_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with run.only_one(tmp_path) as lock:
            assert Path(lock.name).read_text() == str(os.getpid())


def test_a_setting_that_makes_no_sense(tmp_path: Path) -> None:
    assert refusal(tmp_path, RATE_LIMIT_MESSAGES="ten") == "RATE_LIMIT_MESSAGES must be a whole number, not 'ten'."


def test_something_to_simulate_where_the_platform_is_real(tmp_path: Path) -> None:
    line = refusal(tmp_path, "--simulate", "error-rate=0.2", ONLY_FANS_API_BASE_URL="https://platform.example.com")
    assert line == "--simulate is for the simulated platform, but ONLY_FANS_API_BASE_URL names another."


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "var").startswith("The folder for data and logs can't be used: ")
