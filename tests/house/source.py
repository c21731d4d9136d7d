"""What the rules look at: the project's own files, and their syntax trees."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from config import ROOT

PROGRAM = ("app", "embedded", "bench", "config.py", "worker.py")
GENERATED = ROOT / "app" / "migrations" / "versions"


def name(path: Path) -> str:
    """The path as people call it, from the project's root."""
    return path.relative_to(ROOT).as_posix()


def files(*tops: str, suffix: str = ".py") -> list[Path]:
    """The files with this suffix below the named folders (or the named files themselves), where they exist."""
    found: list[Path] = []
    for top in (ROOT / top for top in tops):
        found += sorted(top.rglob(f"*{suffix}")) if top.is_dir() else [top] * top.exists()
    return [path for path in found if GENERATED not in path.parents]


@cache
def tree(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of the file, nested ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def ruff(*arguments: str) -> str:
    """What ruff finds fault with, nothing when all is well."""
    command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "--quiet"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return answer.stdout + answer.stderr if answer.returncode else ""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in the file, with the name of what is called, dots included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node
