"""One child process: in a session of its own, its output in a log file, ended with everything it started."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.05
LOG_BYTES = 5_000_000
OUTPUT_BYTES = 64_000
PR_SET_PDEATHSIG = 1

Pause = Callable[[float], object]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What to start; `ready` is asked again and again with the output so far, until it says True."""

    name: str
    command: Sequence[str]
    ready: Callable[[str], bool] = lambda _: True
    environment: Mapping[str, str] | None = None
    start_seconds: float = 60.0
    stop_seconds: float = 5.0


class NotStartedError(Exception):
    """A part that ended, or was not ready in time; the message holds the end of its log."""


def python(*arguments: str) -> list[str]:
    """Return the command that runs this very Python with `arguments`."""
    return [sys.executable, *arguments]


class Child:
    """A part's process; it may be started again after it ended."""

    def __init__(self, part: Part, log_directory: Path) -> None:
        self.part = part
        self.log = log_directory / f"{part.name}.log"
        self._log_start = 0
        self._started_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def start(self) -> None:
        """Start the process; raise NotStartedError when its program can't be run at all."""
        self._rotate_log()
        self._ended = False
        self._started_at = time.monotonic()
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            try:
                self._process = subprocess.Popen(
                    self.part.command,
                    cwd=ROOT,
                    env=self.part.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,  # noqa: PLW1509 (all it does is a system call, looked up before)
                )
            except OSError as error:
                raise NotStartedError(f"{self.part.name} could not be started: {error}") from error

    def is_up(self) -> bool:
        """Tell whether the part is ready; raise NotStartedError when it ended instead, or takes too long."""
        seconds = self.part.start_seconds
        if (code := self.exit_code()) is not None:
            raise NotStartedError(self.report(f"{self.part.name} ended at once (exit code {code})"))
        if self.part.ready(self.output()):
            return True
        if self.age() > seconds:
            raise NotStartedError(self.report(f"{self.part.name} was not ready after {seconds:g} s"))
        return False

    def wait_until_ready(self) -> None:
        """Return as soon as the part is ready; raise NotStartedError when it ends before, or takes too long."""
        while not self.is_up():
            time.sleep(POLL_SECONDS)

    def age(self) -> float:
        """Return the seconds since it was started last."""
        return time.monotonic() - self._started_at

    def pid(self) -> int:
        """Return the id of the process that was started last."""
        return self._started().pid

    def exit_code(self) -> int | None:
        """Return the exit code (negative: the signal), or None while it runs."""
        return self._started().poll()

    def output(self) -> str:
        """Return what it wrote since it was started last, of that at most the last 64 kB."""
        with self.log.open("rb") as log:
            log.seek(max(self._log_start, self.log.stat().st_size - OUTPUT_BYTES))
            return log.read().decode(errors="replace")

    def report(self, what: str, lines: int = 20) -> str:
        """Return `what` with the last lines of its log, indented."""
        tail = self.output().splitlines()[-lines:]
        return "\n".join([f"{what}. The end of {self.log}:" if tail else f"{what}.", *(f"  | {line}" for line in tail)])

    def terminate(self) -> None:
        """Ask the process itself to end; it sees to its own children, which may be in the middle of a call."""
        if self.exit_code() is None:
            self._started().terminate()

    def kill(self) -> None:
        """End whatever is left of the process and all that it started, at once."""
        if self._ended:
            return  # Its id may be somebody else's by now.
        self._started().kill()
        for pid in _session(self.pid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._started().wait()
        self._ended = True

    def stop(self, pause: Pause = time.sleep) -> None:
        """Ask it to end, wait as long as the part may take, then end what is left."""
        self.terminate()
        deadline = time.monotonic() + self.part.stop_seconds
        while self.exit_code() is None and time.monotonic() < deadline:
            pause(POLL_SECONDS)
        self.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start() comes first"
        return self._process

    def _rotate_log(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))


def _session(leader: int) -> list[int]:
    """Return the processes of the session that `leader` began; RQ gives its forks process groups of their own."""
    if Path("/proc/self").exists():
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    else:
        pids = [int(pid) for pid in subprocess.check_output(["ps", "-axo", "pid="]).split()]
    return [pid for pid in pids if _session_of(pid) == leader]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


@contextmanager
def running(part: Part, log_directory: Path) -> Iterator[Child]:
    """Run the part until the block ends; raise NotStartedError with the end of its log when it doesn't come up."""
    child = Child(part, log_directory)
    child.start()
    try:
        child.wait_until_ready()
        yield child
    finally:
        child.stop()


# Looked up before any fork: a forked child should do as little as it can before its exec.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """Let Linux end the child when the thread that started it is gone, even by `kill -9`."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
