"""Reads a file of the analytics to its end, alone in a process, and says how quickly and in how much memory."""

import sys
import time
from contextvars import Context
from pathlib import Path

import config
from app import create_app
from bench.analytics import sign_in


def main(url: str, email: str, path: str) -> None:
    """Print lines, lines a second, and by how much the peak of memory grew from what it was before the request."""
    app = create_app(config.load({"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}))
    with app.app_context():
        client = sign_in(app, email)
        before, began = _peak(), time.perf_counter()
        lines: int = Context().run(lambda: sum(piece.count(b"\n") for piece in client.get(path).iter_encoded()))
        seconds = time.perf_counter() - began
    print(f"{lines:,} lines, {lines / seconds:,.0f}/s, peak {_peak()} MB in all, {_peak() - before} of it for the file")


def _peak() -> int:
    # Of this program alone (Linux): getrusage also knows the process that it was forked from.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
