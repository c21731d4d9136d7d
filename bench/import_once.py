"""`python -m bench.import_once URL FILE`: one import in a process of its own; prints its seconds and peak memory."""

import re
import sys
import time
from pathlib import Path

import config
from app import create_app
from app.accounts import queries as accounts
from app.imports import service
from app.imports.models import Status
from app.imports.reader import Wishes
from bench import seed

PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def main(url: str, path: str) -> None:
    """Take the file in and work it off at once, as nobody works in the background here."""
    service.AT_ONCE = sys.maxsize
    app = create_app(config.load({"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}))
    with app.app_context():
        viewer = seed.user()
        account = accounts.account(viewer, None)
        before, begun = _peak(), time.perf_counter()
        done = service.load(viewer, account.id, "fans.csv", Path(path).read_bytes(), Wishes())
        took = time.perf_counter() - begun
    if done.status != Status.COMPLETED or done.rejected:
        raise RuntimeError(f"the import is {done.status}")
    print(took, _peak(), before)


def _peak() -> int:
    """The most memory that this process has held, in MB."""
    found = PEAK.search(Path("/proc/self/status").read_text())
    return int(found[1]) // 1000 if found is not None else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
