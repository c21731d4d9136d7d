"""What one fan paid, month by month of the account's time zone."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.accounts.models import Account
from app.analytics import zones
from app.analytics.models import FanDay
from app.clock import now
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Month:
    """A month, by its first day, and the gross cents in it."""

    first: date
    gross_cents: int


def by_month(account: Account, fan_id: int, months: int) -> list[Month]:
    """The last `months`, the current one at the end, those without payments too; the account must be the viewer's."""
    today = zones.local_day(ZoneInfo(account.time_zone), now())
    firsts = [_back(today, distance) for distance in reversed(range(months))]
    where = (FanDay.fan_id == fan_id, FanDay.account_id == account.id, FanDay.day >= zones.day_number(firsts[0]))
    sums = dict.fromkeys(firsts, 0)
    for day, cents in db.session.execute(select(FanDay.day, FanDay.gross_cents).where(*where)):
        first = zones.day_of(day).replace(day=1)
        if first in sums:
            sums[first] += cents
    return [Month(first, cents) for first, cents in sums.items()]


def _back(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month + 1, 1)
