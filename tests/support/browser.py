"""A real Chromium for `@pytest.mark.browser`: `page` comes from pytest-playwright, the browser from this machine."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Quiet, and as locked in as the tests themselves: no name but this machine's resolves.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
NONE_FOUND = "no Chromium: set CHROMIUM_PATH, or install chromium or Google Chrome"


def find_chromium() -> str | None:
    """The path of CHROMIUM_PATH's browser, else of one on PATH, else None."""
    named = os.environ.get("CHROMIUM_PATH")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """How pytest-playwright starts the browser; without one the test is skipped, or fails where CI=true."""
    path = find_chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NONE_FOUND)
        pytest.skip(NONE_FOUND)
    return {"executable_path": path, "headless": True, "args": list(FLAGS)}
