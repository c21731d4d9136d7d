"""What is vendored is what its README says: name, version, source, licence and sha256."""

import hashlib
import re
from pathlib import Path

from config import ROOT

VENDOR = ROOT / "static" / "vendor"
SHA256 = re.compile(r"\b[0-9a-f]{64}\b")


def _vendored() -> list[Path]:
    return [path for path in sorted(VENDOR.rglob("*")) if path.is_file() and path.suffix in {".js", ".css", ".woff2"}]


def test_every_vendored_file_is_the_one_that_was_checked() -> None:
    readme = (VENDOR / "README.md").read_text()
    assert _vendored()
    for path in _vendored():
        line = next((line for line in readme.splitlines() if path.name in line), "")
        found = SHA256.search(line)
        assert found is not None, f"{path.name} has no line with its sha256"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == found[0], path.name


def test_the_readme_speaks_of_no_file_that_is_gone() -> None:
    lines = [line for line in (VENDOR / "README.md").read_text().splitlines() if SHA256.search(line)]
    assert [line for line in lines if not any(path.name in line for path in _vendored())] == []
