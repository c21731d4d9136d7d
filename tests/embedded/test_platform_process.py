"""The simulated platform as a process of its own."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from embedded import platform_process
from embedded.child import NotStartedError


def status(url: str, key: str) -> int:
    """Return the status with which the platform answers who we are."""
    request = urllib.request.Request(f"{url}/api/whoami", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_it_listens_where_it_says_and_knows_its_key(tmp_path: Path) -> None:
    with platform_process.running(tmp_path) as url:
        assert status(url, platform_process.KEY) == 200
        assert status(url, "another key") == 401


def test_a_wish_that_it_does_not_know_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(NotStartedError, match="moon-phase"),
        platform_process.running(tmp_path, "--simulate", "moon-phase=full"),
    ):
        pass
