"""What a page has seen, so that its next poll can be told "nothing new" for the price of one query."""

import time
from dataclasses import astuple, dataclass
from typing import Self

from app.messages.pulse import Pulse
from app.pages.addresses import read_id
from app.pages.parts import Line

LOOKS_AGAIN_AFTER = 10
NEVER = "0"


@dataclass(frozen=True, slots=True)
class Token:
    """The pulse at which a page was drawn, and the Unix time from which its line is out of date, or NEVER."""

    inbox: str
    thread: str
    line: str
    stale_at: str

    @classmethod
    def of(cls, pulse: Pulse, line: Line) -> Self:
        """What the page that is being drawn has seen."""
        stale_at = str(int(time.time()) + LOOKS_AGAIN_AFTER) if line.moving else NEVER
        return cls(pulse.inbox, str(pulse.thread), pulse.line, stale_at)

    @classmethod
    def read(cls, text: str | None) -> Self:
        """The token that a browser sent; what isn't one has seen nothing."""
        pieces = (text or "").split(".")
        return cls(*pieces) if len(pieces) == 4 else cls("", "", "", "")

    def __str__(self) -> str:
        return ".".join(astuple(self))

    def list_changed(self, pulse: Pulse) -> bool:
        """Whether the list may look different by now."""
        return self.inbox != pulse.inbox

    def thread_changed(self, pulse: Pulse) -> bool:
        """Whether bubbles or the line may look different by now."""
        return self.thread != str(pulse.thread) or self.line != pulse.line or self._stale()

    def _stale(self) -> bool:
        return self.stale_at != NEVER and (read_id(self.stale_at) or 0) <= time.time()
