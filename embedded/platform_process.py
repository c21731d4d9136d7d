"""The simulated platform as a process of its own."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded import ports
from embedded.child import Part, python
from embedded.child import running as child_running

KEY = "embedded-platform-key"
WEBHOOK_SECRET = "embedded-webhook-secret"
LISTENS = re.compile(r"^platform: (http://\S+)$", re.MULTILINE)


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[str]:
    """Run a platform that remembers nothing until the block ends; yield its URL, its key is `KEY`."""
    with child_running(part(0, ":memory:", arguments), directory / "log") as child:
        listens = LISTENS.search(child.output())
        assert listens is not None
        yield listens[1]


def part(port: int, state: str, arguments: Sequence[str] = ()) -> Part:
    """Return the platform to start: on that port (0: any), its state in that file or `:memory:`."""
    options = ["--host", ports.LOOPBACK, "--port", str(port), "--state", state, "--api-key", KEY]
    command = python("-m", "embedded.platform", *options, *arguments)
    return Part(name="platform", command=command, ready=lambda output: LISTENS.search(output) is not None)
