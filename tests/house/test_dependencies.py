"""Dependencies: each with its reason, locked with hashes, and from no address in particular."""

import re
from pathlib import Path

import pytest

from config import ROOT
from tests.house.source import name

WANTED = sorted(ROOT.glob("requirements*.in"))
LOCKED = sorted(ROOT.glob("requirements*.txt"))


def _entries(path: Path) -> list[str]:
    lines = [line.strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


@pytest.mark.parametrize("path", WANTED, ids=name)
def test_every_dependency_has_its_reason(path: Path) -> None:
    assert [entry for entry in _entries(path) if not re.search(r"  # \S.{3,}", entry)] == []


@pytest.mark.parametrize("path", WANTED, ids=name)
def test_every_dependency_is_locked(path: Path) -> None:
    locked = {
        _normal(found) for found in re.findall(r"^([A-Za-z0-9._-]+)==", path.with_suffix(".txt").read_text(), re.M)
    }
    wanted = {_normal(re.match(r"[A-Za-z0-9._-]+", entry)[0]) for entry in _entries(path)}  # type: ignore[index]
    assert wanted - locked == set()


@pytest.mark.parametrize("path", LOCKED, ids=name)
def test_every_lock_has_hashes_and_no_address(path: Path) -> None:
    text = path.read_text()
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)
    hashed = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==[^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)
    assert pinned == hashed
    assert not re.search(r"://|--(index-url|extra-index-url|find-links|trusted-host)", text)


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
