"""One simulated platform for all tests here, empty at the start of each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import platform_process
from tests.embedded.platform.sim import Sim


@pytest.fixture(scope="session")
def _running_sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    folder: Path = tmp_path_factory.mktemp("platform")
    with platform_process.running(folder) as url:
        sim = Sim(url)
        yield sim
        sim.close()
    # Whatever was broken on purpose, nothing broke by itself.
    assert (folder / "log" / "platform.log").read_text() == f"platform: {url}\n"


@pytest.fixture
def sim(_running_sim: Sim) -> Sim:
    """A running platform that has forgotten everything."""
    _running_sim.tell("/reset", {})
    return _running_sim
