"""What the reports of a viewer say; every one of them is about a scope that this viewer may see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.accounts import queries as accounts
from app.accounts.models import User
from app.analytics import answers, audience, payers, revenue, sources, zones
from app.analytics.answers import Talk
from app.analytics.audience import Audience
from app.analytics.buckets import Interval
from app.analytics.models import RollUp
from app.analytics.revenue import Money, Received
from app.analytics.scope import Period, Scope
from app.clock import now
from app.earnings.models import StaleDay
from app.errors import Invalid, NotFound, Problem
from app.extensions import db

USUAL_DAYS = 30
MOST_DAYS = 5 * 366
YEARS = range(2001, 2100)
OUTSIDE = "must be a day from 2001 to 2099"
ORDER = "From must not be after to"
TOO_LONG = f"From and to must be at most {MOST_DAYS} days apart"


@dataclass(frozen=True, slots=True)
class Figures:
    """A period in figures; money in cents, `delivered` from 0 to 1, None where there is nothing to count."""

    fans: int
    new_fans: int
    active_fans: int
    lifetime_value: int | None
    money: Money
    talk: Talk

    @property
    def average(self) -> Money | None:
        """What a fan who paid has paid on average."""
        if not self.active_fans:
            return None
        return Money(round(self.money.gross / self.active_fans), round(self.money.net / self.active_fans))


@dataclass(frozen=True, slots=True)
class Summary:
    """A period and the one before it, of the same length."""

    period: Period
    current: Figures
    previous: Figures


def scope(viewer: User, account_ids: Collection[int] = (), zone: ZoneInfo | None = None, tag: str = "") -> Scope:
    """The named accounts, or all that the viewer sees; raises NotFound when one of them isn't theirs."""
    visible = accounts.visible(viewer)
    if not set(account_ids) <= {account.id for account in visible}:
        raise NotFound("Account not found")
    chosen = [account for account in visible if not account_ids or account.id in account_ids]
    sources.plan_quickly()
    rolled_up = select(RollUp.account_id, RollUp.time_zone).where(RollUp.account_id.in_([one.id for one in chosen]))
    return Scope(tuple(chosen), zone, tag, dict(db.session.execute(rolled_up).all()))


def today(wanted: Scope) -> date:
    """The last day that has begun in one of the scope's time zones."""
    named = [wanted.zone_of(account) for account in wanted.accounts]
    return max(zones.local_day(zone, now()) for zone in named or [zones.GREENWICH])


def period(wanted: Scope, first: date | None = None, last: date | None = None) -> Period:
    """The days that were asked for; thirty until today, or until `last`, where nothing else was.

    Raises Invalid for more than five years, days in the wrong order, or outside of 2001 to 2099.
    """
    named = {"from": first, "to": last}.items()
    _refuse([Problem(name, f"{name.capitalize()} {OUTSIDE}") for name, day in named if day and day.year not in YEARS])
    last = last or max(today(wanted), first or today(wanted))
    first = first or last - timedelta(days=USUAL_DAYS - 1)
    _refuse([Problem("from", ORDER)] * (first > last))
    _refuse([Problem("from", TOO_LONG)] * ((last - first).days >= MOST_DAYS))
    return Period(first, last)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems)


def as_of(wanted: Scope) -> datetime:
    """Everything that was recorded until then is in the figures."""
    query = select(func.min(StaleDay.changed_at)).where(StaleDay.account_id.in_(wanted.ids))
    return db.session.scalar(query) or now()


def summary(wanted: Scope, during: Period, received: Received | None = None) -> Summary:
    """The figures of a period, beside those of the one before; `received` when it is known already."""
    fans_earlier, before, end = audience.growth(wanted, during)
    paid = payers.by_account(wanted, during, during.previous)
    active, active_before = (sum(counts[place] for counts in paid.values()) for place in (0, 1))
    received = received or revenue.received(wanted, during, Interval.MONTH)
    return Summary(
        period=during,
        current=_figures(before.fans, end, active, received.total, answers.talk(wanted, during)),
        previous=_figures(
            fans_earlier, before, active_before, received.total_before, answers.talk(wanted, during.previous)
        ),
    )


def _figures(fans_before: int, end: Audience, active: int, money: Money, talk: Talk) -> Figures:
    return Figures(end.fans, end.fans - fans_before, active, end.lifetime_value, money, talk)
