"""How a campaign is doing, as its templates take it: the bar, what each colour counts, and when it will be over."""

import hashlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime

from app.accounts.models import User
from app.campaigns import queries
from app.campaigns.models import Campaign
from app.campaigns.queries import Result, Standing
from app.messages.models import Status
from app.pages.parts import desk

BAR = 1000
COLOURS = ("sent", "unknown", "failed", "canceled", "sending")
RESULTS = 50
FURTHEST = 10_000


@dataclass(frozen=True, slots=True)
class Progress:
    """`ends_at` is None while nothing moves, and once it is over; `reason` says why nothing moves."""

    standing: Standing
    ends_at: datetime | None
    reason: str | None

    @property
    def campaign(self) -> Campaign:
        """The campaign itself."""
        return self.standing.campaign

    @property
    def going(self) -> bool:
        """Whether it may change without anybody's doing."""
        return self.standing.counts.open + self.standing.unplanned > 0

    @property
    def waiting(self) -> int:
        """How many haven't got it yet and still may."""
        return self.standing.counts.scheduled + self.standing.counts.queued + self.standing.unplanned

    @property
    def reached(self) -> int:
        """How many messages have come to an end."""
        return self.standing.total - self.waiting - self.standing.counts.sending

    @property
    def version(self) -> str:
        """Differs whenever the fragment looks different."""
        ends = self.ends_at and self.ends_at.replace(second=0, microsecond=0)
        seen = (astuple(self.standing.counts), self.standing.stage, self.standing.unplanned, ends, self.reason)
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:12]

    def bar(self) -> Iterator[tuple[str, int, int]]:
        """Colour, beginning and width of each piece, in thousandths; what still waits is the bar's own ground."""
        begin = passed = 0
        for colour in COLOURS:
            passed += getattr(self.standing.counts, colour)
            end = round(BAR * passed / self.standing.total) if self.standing.total else 0
            if end > begin:
                yield colour, begin, end - begin
            begin = end


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what became of it, fan by fan; `previous` and `next` are offsets, None where there is no page."""

    campaign: Campaign
    rows: list[Result]
    status: str
    offset: int
    total: int

    @property
    def previous(self) -> int | None:
        """Where the page before begins."""
        return max(0, self.offset - RESULTS) if self.offset else None

    @property
    def next(self) -> int | None:
        """Where the page after begins."""
        following = self.offset + RESULTS
        return following if following < self.total else None


def progress(viewer: User, campaign_id: int) -> Progress:
    """How a campaign is doing now; raises NotFound when it isn't the viewer's."""
    standing = queries.standing(viewer, campaign_id)
    ends_at = desk().completion(standing)
    moves = standing.stage in ("planning", "queued", "sending")
    reason = desk().standstill(standing.campaign.account_id) if moves and ends_at is None else None
    return Progress(standing, ends_at, reason)


def results(standing: Standing, status: str, offset: int) -> Results:
    """A page of results; a status that there isn't asks for all."""
    named = status if status in standing.counts.__slots__ else ""
    total = getattr(standing.counts, named) if named else standing.counts.total
    start = min(max(0, offset), FURTHEST)
    rows = queries.results(standing.campaign, named or None, RESULTS, start)
    return Results(standing.campaign, rows, named, start, total)


def tabs(standing: Standing) -> list[tuple[str, str, int]]:
    """Status, words and count of each choice of results that has any; all of them first."""
    words = {
        Status.SCHEDULED: "Scheduled",
        Status.QUEUED: "Waiting",
        Status.SENDING: "Sending",
        Status.SENT: "Sent",
        Status.FAILED: "Failed",
        Status.UNKNOWN: "Unknown",
        Status.CANCELED: "Canceled",
    }
    found = [(str(status), word, getattr(standing.counts, status)) for status, word in words.items()]
    return [("", "All", standing.counts.total), *(one for one in found if one[2])]
