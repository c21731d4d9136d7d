"""Who may import whom: the contracts in pyproject.toml hold, and they know every room."""

import subprocess
import sys
import tomllib
from pathlib import Path

from config import ROOT

DOORS = {"pages", "api", "cli"}
# Belongs to the web by its nature, or is run by Alembic.
OUTSIDE_THE_CONTRACT = {"throttle", "extensions", "migrations"}


def test_the_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_room_is_kept_from_the_web() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {module.removeprefix("app.") for module in contracts[1]["source_modules"]}
    parts = {path.stem for path in (ROOT / "app").iterdir() if path.is_dir() or path.suffix == ".py"}
    parts = {part for part in parts if not part.startswith("_")}
    assert named == parts - DOORS - OUTSIDE_THE_CONTRACT
