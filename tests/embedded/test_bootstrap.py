"""`bin/_bootstrap.sh` makes the environment only when it must, and says in one line why it can't."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.child import ROOT

LOCK = "requirements-embedded.txt"
LARGER = "requirements-dev.txt"
TOOLS = ("sh", "cat", "date", "mkdir", "rm")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the script, two lock files, and a PATH (`path`) on which there is no Python."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "path").mkdir()
    shutil.copy(ROOT / "bin" / "_bootstrap.sh", tmp_path / "bin")
    for name in (LOCK, LARGER):
        (tmp_path / name).write_text(f"what {name} says")
    for tool in TOOLS:
        (tmp_path / "path" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def bootstrap(checkout: Path) -> tuple[int, str]:
    """Run the script as bin/run does; return its exit code and what it said."""
    done = subprocess.run(
        ["sh", "bin/_bootstrap.sh", LOCK, LARGER],
        cwd=checkout,
        env={"PATH": str(checkout / "path")},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def program(checkout: Path, name: str, script: str) -> None:
    """Put a shell script on the PATH."""
    file = checkout / "path" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def make_environment(checkout: Path, lock: str) -> None:
    """Make it look as if the environment had been made from that lock file."""
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(os.path.realpath(sys.executable))
    digest = hashlib.sha256((checkout / lock).read_bytes()).hexdigest()
    (checkout / ".venv" / ".made-from").write_text(f"{digest} {sys.version_info.major}.{sys.version_info.minor}\n")


def test_no_python(checkout: Path) -> None:
    assert bootstrap(checkout) == (1, "Python 3.11 or newer is needed; found: none.\n")


def test_a_python_that_is_too_old(checkout: Path) -> None:
    program(checkout, "python3", '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    assert bootstrap(checkout) == (1, "Python 3.11 or newer is needed; found: Python 3.9.2.\n")


def test_no_pip(checkout: Path) -> None:
    program(checkout, "python3.12", f'[ "$1" = -m ] && exit 1; exec {os.path.realpath(sys.executable)} "$@"')
    code, said = bootstrap(checkout)
    assert code == 1
    assert said.startswith("pip is needed, ")


@pytest.mark.parametrize("lock", [LOCK, LARGER])
def test_an_environment_made_from_either_lock_is_left_alone(checkout: Path, lock: str) -> None:
    make_environment(checkout, lock)
    assert bootstrap(checkout) == (0, "")


def test_a_lock_that_changed_asks_for_another_environment(checkout: Path) -> None:
    make_environment(checkout, LOCK)
    (checkout / LOCK).write_text("another version")
    program(checkout, "python3", f'exec {os.path.realpath(sys.executable)} "$@"')
    program(checkout, "uv", f'echo "uv $*" >> {checkout}/calls')
    code, said = bootstrap(checkout)
    assert code == 0
    assert "Installing the locked dependencies of requirements-embedded.txt" in said
    assert (
        f"pip install --quiet --python .venv/bin/python --require-hashes -r {LOCK}" in (checkout / "calls").read_text()
    )
    assert bootstrap(checkout) == (0, "")


def test_an_installation_that_failed_is_tried_again(checkout: Path) -> None:
    make_environment(checkout, LOCK)
    (checkout / LOCK).write_text("another version")
    program(checkout, "python3", f'[ "$1" = -m ] && exit 1; exec {os.path.realpath(sys.executable)} "$@"')
    program(checkout, "uv", '[ "$1" = --version ]')
    for _ in range(2):
        code, said = bootstrap(checkout)
        assert code == 1
        assert said.endswith("The dependencies could not be installed; the reason stands above.\n")
