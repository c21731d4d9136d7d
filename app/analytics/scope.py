"""What a report is about: accounts, days, the time zone of these days, and a tag of fans."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from app.accounts.models import Account
from app.analytics import zones
from app.analytics.covers import Stretch
from app.analytics.zones import Offsets


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both of them in it."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> "Period":
        """As many days, just before."""
        return Period(self.first - timedelta(days=self.days), self.first - zones.DAY)


@dataclass(frozen=True, slots=True)
class Span:
    """A period on the clocks of accounts that share a time zone: UTC quarter hours from `start` up to `end`."""

    account_ids: tuple[int, ...]
    zone: ZoneInfo
    start: int
    end: int

    @property
    def offsets(self) -> Offsets:
        """How far the zone's clocks are ahead of UTC meanwhile."""
        return zones.offsets(self.zone, self.start, self.end)


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts whose days are those of `zone`, and whose roll-ups hold days of `counted`; None: nothing as yet."""

    account_ids: tuple[int, ...]
    zone: ZoneInfo
    counted: ZoneInfo | None

    def stretches(self, periods: Iterable[Period]) -> list[Stretch]:
        """The periods on the group's clocks, labelled 0, 1, …; those without a day are left out."""
        return [
            Stretch(zones.begins(self.zone, one.first), zones.begins(self.zone, one.last + zones.DAY), label)
            for label, one in enumerate(periods)
            if one.first <= one.last
        ]


@dataclass(frozen=True, slots=True)
class Scope:
    """Accounts that the reader may see. Without a `zone` each account's days are those of its own time zone.

    With a `tag` only what fans with this tag paid counts. `counted`: the time zone that an account's roll-ups were
    counted in, which is another one for a while after it has moved.
    """

    accounts: tuple[Account, ...]
    zone: ZoneInfo | None = None
    tag: str = ""
    counted: Mapping[int, str] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        """The accounts' ids."""
        return tuple(account.id for account in self.accounts)

    @property
    def names(self) -> dict[int, str]:
        """What the accounts are called, by their ids."""
        return {account.id: account.display_name for account in self.accounts}

    @property
    def zone_names(self) -> list[str]:
        """The time zones of the report's days: usually one."""
        return [self.zone.key] if self.zone else sorted({account.time_zone for account in self.accounts}) or ["UTC"]

    def zone_of(self, account: Account) -> ZoneInfo:
        """The time zone of the days of one account."""
        return self.zone or zone_of(account)

    def spans(self, period: Period) -> Iterator[Span]:
        """The period, once for each time zone."""
        by_zone: dict[ZoneInfo, list[int]] = {} if self.accounts else {zones.GREENWICH: []}
        for account in self.accounts:
            by_zone.setdefault(self.zone_of(account), []).append(account.id)
        for zone, ids in by_zone.items():
            yield Span(tuple(ids), zone, zones.begins(zone, period.first), zones.begins(zone, period.last + zones.DAY))

    def groups(self) -> list[Group]:
        """The accounts, by the two time zones that matter; one group without accounts where there are none."""
        found: dict[tuple[ZoneInfo, ZoneInfo | None], list[int]] = (
            {} if self.accounts else {(zones.GREENWICH, None): []}
        )
        for account in self.accounts:
            counted = zones.known(self.counted.get(account.id, ""))
            found.setdefault((self.zone_of(account), counted), []).append(account.id)
        return [Group(tuple(ids), zone, counted) for (zone, counted), ids in found.items()]


def zone_of(account: Account) -> ZoneInfo:
    """The account's own time zone; UTC for one that isn't known here."""
    return zones.known(account.time_zone) or zones.GREENWICH
