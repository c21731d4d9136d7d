"""The figures of a period: revenue, fans and messages."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from app.analytics.audience import TopFan
from app.analytics.buckets import Interval
from app.analytics.queries import Figures, Summary
from app.analytics.revenue import Money, Point
from app.analytics.scope import Period, Scope
from app.analytics.zones import known
from app.api.schemas.base import Answer, Moment, Query
from app.earnings.models import Kind
from app.messages.rules import refuse

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ACCOUNTS = r"^[0-9]{1,18}(,[0-9]{1,18}){0,199}$"
UNKNOWN_ZONE = "Time zone must be an IANA name such as Europe/Paris"


def _written_out(value: Any) -> Any:
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise refuse("day", "must be a day such as 2026-11-01")
    return value


def _known_zone(value: str) -> str:
    if known(value) is None:
        raise refuse("zone", UNKNOWN_ZONE)
    return value


Day = Annotated[date, BeforeValidator(_written_out)]
Zone = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]
Ids = Annotated[str, Field(pattern=ACCOUNTS, examples=["1", "1,2"])]


class ReportQuery(Query):
    """Which days of which accounts."""

    first: Day | None = Field(default=None, alias="from", description="The first day; 30 days when left out")
    last: Day | None = Field(
        default=None, alias="to", description="The last day, in the figures too; today when left out"
    )
    account_id: Ids | None = Field(default=None, description="One account, or several with commas; all when left out")
    time_zone: Zone | None = Field(default=None, description="Whose days; each account's own when left out")

    @property
    def account_ids(self) -> set[int]:
        """The accounts that were named."""
        return {int(text) for text in self.account_id.split(",")} if self.account_id else set()

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone that was named."""
        return ZoneInfo(self.time_zone) if self.time_zone else None


class TopFansQuery(ReportQuery):
    """How many of the fans who paid the most."""

    limit: Annotated[int, Field(ge=1, le=100)] = 10
    by: Literal["gross", "net"] = Field(default="gross", description="What decides")


class RevenueQuery(ReportQuery):
    """In which steps."""

    interval: Literal["day", "week", "month"] = Field(default="day", description="Weeks begin on Monday")


class Report(Answer):
    """What figures are about. Without a time zone in the query, days are those of each account's own."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    time_zones: list[str] = Field(examples=[["Europe/Paris"]])
    account_ids: list[int]
    as_of: Moment = Field(description="Everything that was recorded until then is counted")


class Sum(Answer):
    """Payments: gross is what fans paid, net what the creator keeps."""

    gross_cents: int
    net_cents: int
    payments: int

    @classmethod
    def of(cls, money: Money) -> "Sum":
        """The answer for a sum."""
        return cls(gross_cents=money.gross, net_cents=money.net, payments=money.payments)


class Totals(Answer):
    """A period in figures; null where there is nothing to count."""

    total_fans: int = Field(description="All fans at the end of the period")
    new_fans: int = Field(description="Fans who were added in the period")
    active_fans: int = Field(description="Different fans who paid for something")
    lifetime_value_cents: int | None = Field(description="What a fan had ever spent on average, gross")
    revenue: Sum
    average_gross_cents: int | None = Field(description="Gross revenue divided by active fans")
    average_net_cents: int | None = Field(description="Net revenue divided by active fans")
    messages_sent: int
    delivered_share: float | None = Field(description="Of the messages that came to an end, those that arrived: 0 to 1")
    median_answer_seconds: float | None = Field(description="Half of the fans' messages were answered sooner")

    @classmethod
    def of(cls, figures: Figures) -> "Totals":
        """The answer for a period."""
        average, wait = figures.average, figures.talk.median_wait
        return cls(
            total_fans=figures.fans,
            new_fans=figures.new_fans,
            active_fans=figures.active_fans,
            lifetime_value_cents=figures.lifetime_value,
            revenue=Sum.of(figures.money),
            average_gross_cents=average.gross if average else None,
            average_net_cents=average.net if average else None,
            messages_sent=figures.talk.sent,
            delivered_share=figures.talk.delivered,
            median_answer_seconds=None if wait is None else wait.total_seconds(),
        )


class SummaryAnswer(Report):
    """A period beside the one before, of the same length."""

    previous_from: date
    previous_to: date
    current: Totals
    previous: Totals


class TopFanItem(Sum):
    """A fan and what they paid in the period."""

    fan_id: int
    account_id: int
    name: str
    handle: str | None
    value_cents: int = Field(description="What they ever spent, gross")

    @classmethod
    def of_fan(cls, fan: TopFan) -> "TopFanItem":
        """The answer for a fan."""
        return cls(
            fan_id=fan.fan_id,
            account_id=fan.account_id,
            name=fan.name,
            handle=fan.handle,
            value_cents=fan.value_cents,
            **Sum.of(fan.money).model_dump(by_alias=False),
        )


class TopFans(Report):
    """Who paid the most, the best first."""

    fans: list[TopFanItem]


class PointItem(Sum):
    """A step of the period; the first and the last may be shorter than the others."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    previous_gross_cents: int = Field(description="As many days earlier, one period ago")
    previous_net_cents: int

    @classmethod
    def of_point(cls, point: Point) -> "PointItem":
        """The answer for a step."""
        given = {
            "first": point.bucket.first,
            "last": point.bucket.last,
            "previous_gross_cents": point.before.gross,
            "previous_net_cents": point.before.net,
        }
        return cls.model_validate(given | Sum.of(point.money).model_dump(by_alias=False))


class TypeItem(Sum):
    """What one type of payment brought."""

    type: Kind


class RevenueAnswer(Report):
    """What came in, step by step and by type."""

    interval: Interval
    total: Sum
    points: list[PointItem]
    types: list[TypeItem]


def head(wanted: Scope, period: Period, as_of: datetime) -> dict[str, Any]:
    """The fields of Report."""
    return {
        "first": period.first,
        "last": period.last,
        "time_zones": wanted.zone_names,
        "account_ids": list(wanted.ids),
        "as_of": as_of,
    }


def summary_of(summary: Summary, report: dict[str, Any]) -> SummaryAnswer:
    """The answer for a summary."""
    previous = summary.period.previous
    return SummaryAnswer(
        **report,
        previous_from=previous.first,
        previous_to=previous.last,
        current=Totals.of(summary.current),
        previous=Totals.of(summary.previous),
    )
