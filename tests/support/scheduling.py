"""Which process of the tests runs what: two walk the journeys, one has PostgreSQL, and all share the rest."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# They stop and kill parts and workers, which takes half of the journeys' time.
BREAKING = ("tests/journeys/test_crashes.py", "tests/journeys/test_outages.py")


class Scheduling(LoadScopeScheduling):
    """The biggest groups first, so that journeys begin at once; every other test is a group of its own."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/journeys/"):
            return "breaking" if nodeid.startswith(BREAKING) else "journeys"
        # A server takes seconds to start: one serves all tests that are run on both databases.
        return "postgresql" if "postgresql" in nodeid else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Have xdist ask us."""
    return Scheduling(config, log)
