"""What a campaign's page says before it is launched: how many and who, what some of them will read, and how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.accounts.models import Account
from app.campaigns import rules, segments
from app.campaigns.segments import Audience, Recipient
from app.clock import now
from app.messages.models import Priority
from app.pages.forms.campaigns import CampaignForm
from app.pages.parts import desk

SHOWN = 12
PREVIEWS = 3


@dataclass(frozen=True, slots=True)
class Preview:
    """What one real fan will read, or why they will get nothing."""

    fan: Recipient
    text: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """`audience` is None while it isn't clear whom it is for; `ends_at` is None while nothing moves: `reason` why."""

    audience: Audience | None
    previews: Sequence[Preview]
    starts_at: datetime
    ends_at: datetime | None
    reason: str | None

    @property
    def lasts(self) -> timedelta:
        """How long it takes once it has begun."""
        return self.ends_at - self.starts_at if self.ends_at else timedelta()


def outlook(account: Account, form: CampaignForm) -> Outlook:
    """What is to be said of a form that was validated, whatever it found."""
    due = form.due() if not form.at.errors else None
    audience = segments.audience(account.id, form.segment(), now(), SHOWN) if form.segment_is_clear() else None
    writes = bool(form.content.data) and not form.content.errors
    some = audience.some[:PREVIEWS] if audience and writes else []
    reachable = audience.reachable if audience else 0
    ends_at = desk().finish(account.id, Priority.LOW, reachable, due) if reachable else None
    return Outlook(
        audience=audience,
        previews=[_preview(form.content.data, fan) for fan in some],
        starts_at=due or now(),
        ends_at=ends_at,
        reason=desk().standstill(account.id) if reachable and ends_at is None else None,
    )


def _preview(text: str, fan: Recipient) -> Preview:
    rendered = rules.render(text, fan)
    return Preview(fan, rendered, rules.unsendable(rendered))
