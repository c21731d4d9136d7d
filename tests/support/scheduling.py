"""Which process of the tests runs what: two walk through the journeys, which mostly wait, and all share the rest."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# They stop and kill parts and workers, which takes half of the journeys' time.
BREAKING = ("tests/journeys/test_crashes.py", "tests/journeys/test_outages.py")


class Scheduling(LoadScopeScheduling):
    """The biggest groups first, so that journeys begin at once; every other test is a group of its own."""

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.startswith("tests/journeys/"):
            return nodeid
        return "breaking" if nodeid.startswith(BREAKING) else "journeys"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Have xdist ask us."""
    return Scheduling(config, log)
