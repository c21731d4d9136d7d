"""Starts parts in order, starts again what dies, and stops everything in reverse order."""

import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from embedded.child import Child, NotStartedError, Part

WATCH_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
DEATHS = 5
DEATHS_WITHIN_SECONDS = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CrashLoopError(Exception):
    """A part died again and again; the message holds the end of its log."""


@dataclass
class _Watched:
    """A child and how it fares; times are the monotonic clock's, in seconds."""

    child: Child
    is_up: bool = False
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    start_at: float | None = None


class Supervisor:
    """Keeps children alive; every wait ends with KeyboardInterrupt once a signal has come."""

    def __init__(self, log_directory: Path, say: Callable[[str], None]) -> None:
        self._log_directory = log_directory
        self._say = say
        self._watched: list[_Watched] = []
        self._signals = 0
        self._heeded = 0

    def heed_signals(self) -> None:
        """Stop on SIGINT, SIGTERM and SIGHUP, unless whoever started us wants one of them ignored (nohup)."""
        for number in SIGNALS:
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def launch(self, part: Part) -> None:
        """Start a part that stays, without waiting for it."""
        child = Child(part, self._log_directory)
        child.start()
        self._watched.append(_Watched(child))

    def wait(self) -> None:
        """Return when every part launched so far is ready; raise NotStartedError when one doesn't get there."""
        while not self._all_up():
            self._pause()

    def run(self, part: Part) -> None:
        """Run a part that ends by itself; raise NotStartedError when it fails or takes longer than it may."""
        child = Child(part, self._log_directory)
        child.start()
        try:
            while child.exit_code() is None:
                if child.age() > part.start_seconds:
                    raise NotStartedError(child.report(f"{part.name} did not end within {part.start_seconds:g} s"))
                self._all_up()
                self._pause()
        finally:
            child.stop()
        if child.exit_code() != 0:
            raise NotStartedError(child.report(f"{part.name} failed (exit code {child.exit_code()})"))
        self._say(f"  {part.name:<10} done in {child.age():.1f} s")

    def watch(self) -> NoReturn:
        """Start again what dies, until a signal comes (KeyboardInterrupt) or a part dies too often (CrashLoopError)."""
        while True:
            self.step()
            self._pause(WATCH_SECONDS)

    def step(self) -> None:
        """Look after each child once."""
        for watched in self._watched:
            self._look_after(watched)

    def stop(self) -> None:
        """End all children, the last started first; a further signal ends them at once."""
        self._heeded = self._signals
        children = [watched.child for watched in reversed(self._watched)]
        try:
            for child in children:
                child.stop(self._pause)
        except KeyboardInterrupt:
            self._say("Ending everything at once.")
        finally:
            for child in children:
                child.kill()

    def _all_up(self) -> bool:
        for watched in self._watched:
            if not watched.is_up and watched.child.is_up():
                watched.is_up = True
                self._say(f"  {watched.child.part.name:<10} ready after {watched.child.age():.1f} s")
        return all(watched.is_up for watched in self._watched)

    def _look_after(self, watched: _Watched) -> None:
        child = watched.child
        if watched.start_at is not None:
            if time.monotonic() >= watched.start_at:
                watched.start_at = None
                child.start()
        elif not watched.is_up:
            self._await(watched)
        elif (code := child.exit_code()) is not None:
            self._bury(watched, child.report(f"{child.part.name} ended (exit code {code})", lines=5))

    def _await(self, watched: _Watched) -> None:
        try:
            watched.is_up = watched.child.is_up()
        except NotStartedError as error:
            self._bury(watched, str(error))
        else:
            if watched.is_up:
                self._say(f"{watched.child.part.name} runs again.")

    def _bury(self, watched: _Watched, report: str) -> None:
        watched.child.kill()
        now = time.monotonic()
        watched.deaths.append(now)
        recent = sum(now - death < DEATHS_WITHIN_SECONDS for death in watched.deaths)
        if recent == DEATHS:
            raise CrashLoopError(f"{report}\nThat was the {DEATHS}th time within a minute.")
        delay = FIRST_DELAY_SECONDS * 2 ** (recent - 1)
        watched.is_up, watched.start_at = False, now + delay
        self._say(f"{report}\n{watched.child.part.name} is started again in {delay:g} s.")

    def _pause(self, seconds: float = 0.05) -> None:
        time.sleep(seconds)
        if self._signals > self._heeded:
            raise KeyboardInterrupt

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Only counted here: raised from here, it could hit between a fork and the note of the child's id.
        self._signals += 1
