"""Habits that keep the house readable: one clock, one commit, a sentence above everything public."""

import ast
import re

from config import ROOT
from tests.house.source import PROGRAM, calls, files, name, ruff

CLOCKS = re.compile(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)")
WITH_A_CLOCK = {"app/clock.py"}


def _where(path: object, node: ast.AST) -> str:
    return f"{path}:{getattr(node, 'lineno', 0)}"


def test_there_is_one_clock() -> None:
    found = {
        _where(name(path), node)
        for path in files("app", "worker.py")
        if name(path) not in WITH_A_CLOCK
        for called, node in calls(path)
        if CLOCKS.fullmatch(called)
    }
    assert found == set()


def test_there_is_one_commit() -> None:
    found = {
        name(path) for path in files("app", "worker.py") for called, _ in calls(path) if called.endswith(".commit")
    }
    assert found == {"app/db.py"}


def test_everything_public_has_its_sentence() -> None:
    said = ruff("check", "--select", "D100,D101,D102,D103,D104", *(top for top in PROGRAM if (ROOT / top).exists()))
    assert said == ""


def test_every_file_of_tests_says_what_it_promises() -> None:
    assert ruff("check", "--select", "D100,D104", "tests") == ""


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in files("tests")}
    assert [name(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
