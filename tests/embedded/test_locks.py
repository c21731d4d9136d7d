"""The lock files: one version of each package in all of them, every one with hashes, and no index named."""

import re

import pytest

from embedded.child import ROOT

PRODUCTION, EMBEDDED, DEVELOPMENT = ("requirements.txt", "requirements-embedded.txt", "requirements-dev.txt")
BOOT = ("bin/uv.txt", "bin/node.txt")


def locked(name: str) -> set[str]:
    """Return the packages of a lock file with version and marker, without their hashes."""
    return set(re.findall(r"^([\w.-]+==[^\\\n]+?) *\\?$", (ROOT / name).read_text(), re.MULTILINE))


def test_each_set_contains_the_smaller_one_as_it_is() -> None:
    assert locked(PRODUCTION) < locked(EMBEDDED) < locked(DEVELOPMENT)


@pytest.mark.parametrize("name", [PRODUCTION, EMBEDDED, DEVELOPMENT, *BOOT])
def test_every_package_has_a_hash(name: str) -> None:
    text = (ROOT / name).read_text()
    assert text.count("\n    --hash=sha256:") >= len(locked(name)) > 0
    assert all(
        re.match(r"([\w.-]+==\S.* \\|    --hash=sha256:[0-9a-f]{64}( \\)?)$", line) for line in text.splitlines()
    )


@pytest.mark.parametrize("name", [PRODUCTION, EMBEDDED, DEVELOPMENT, *BOOT])
def test_no_lock_names_an_index(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()
