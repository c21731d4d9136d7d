"""The charts of the analytics page, each with the table behind it, for what the reader has chosen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.analytics import audience, cards, cohorts, figures, payers, queries, revenue, tables
from app.analytics.buckets import buckets
from app.analytics.figures import Figure
from app.analytics.queries import Summary
from app.analytics.revenue import Money, Received
from app.analytics.tables import Table
from app.pages.reports import Choice

TOP = 10
FAN_PAGE = "/platforms/onlyfans/fans/{}"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with the table behind it, whose rows may have `links`.

    Without a `figure` there is nothing to draw, and `empty` says why.
    """

    name: str
    title: str
    about: str
    figure: Figure | None
    table: Table
    empty: str = "Nothing was paid in these days."
    links: Sequence[str] = ()


def over_time(choice: Choice, received: Received) -> list[Chart]:
    """The charts whose steps are the chosen ones."""
    return [_revenue(choice, received), _active_fans(choice)]


def others(choice: Choice, received: Received, summary: Summary) -> Iterator[Chart]:
    """All other charts, in the order of the page."""
    if len(choice.scope.accounts) > 1:
        yield _creators(choice, summary.payers)
    yield _top_fans(choice)
    yield _types(choice, received)
    yield _hours(choice)
    yield _cohorts(choice)


def table(choice: Choice, name: str) -> Table | None:
    """The table with this name, or None."""
    if name == "summary":
        found = cards.cards(queries.summary(choice.scope, choice.days))
        return cards.table(found, choice.scope.zone_names)
    if name in FROM_DAYS:
        return FROM_DAYS[name](choice, revenue.received(choice.scope, choice.days, choice.interval)).table
    return ALONE[name](choice).table if name in ALONE else None


def _revenue(choice: Choice, received: Received) -> Chart:
    points = received.points
    paid = any(point.money.payments or point.before.payments for point in points)
    return Chart(
        "revenue",
        "Revenue over time",
        "Behind each bar, paler: what came in one period before.",
        figures.trend(points, choice.interval, choice.net) if paid else None,
        tables.trend(points),
    )


def _active_fans(choice: Choice) -> Chart:
    counts = payers.over_time(choice.scope, choice.days, choice.interval)
    found = list(zip(buckets(choice.interval, choice.days), counts, strict=True))
    return Chart(
        "active-fans",
        "Active fans",
        f"Different fans who paid for something in each {choice.interval}.",
        figures.active(found, choice.interval) if any(counts) else None,
        tables.active(found),
    )


def _creators(choice: Choice, active: dict[int, list[int]]) -> Chart:
    scope, days = choice.scope, choice.days
    found, nothing = revenue.by_account(scope, days), (Money(), Money())
    fans = audience.fans_by_account(scope)
    ranked = sorted(scope.accounts, key=lambda one: (-found.get(one.id, nothing)[0].net, one.id))
    rows = [(one.id, one.display_name, *found.get(one.id, nothing)) for one in ranked]
    return Chart(
        "creators",
        "Creators compared",
        "What each of them received, and in the equally long period before.",
        figures.creators(rows[:TOP], choice.net) if found else None,
        tables.creators(
            (name, this, earlier, active.get(account_id, [0])[0], fans.get(account_id, 0))
            for account_id, name, this, earlier in rows
        ),
    )


def _top_fans(choice: Choice) -> Chart:
    found = audience.top(choice.scope, choice.days, TOP, choice.net)
    return Chart(
        "top-fans",
        "Top 10 fans",
        "Who paid the most in these days. A name leads to the fan.",
        figures.top_fans(found, choice.net, FAN_PAGE.format) if found else None,
        tables.top_fans(found, choice.scope.names),
        links=[FAN_PAGE.format(fan.fan_id) for fan in found],
    )


def _types(choice: Choice, received: Received) -> Chart:
    sums = received.by_type
    return Chart(
        "types",
        "Revenue by type",
        "What fans paid for.",
        figures.by_type(sums, choice.net) if sums else None,
        tables.by_type(sums),
    )


def _hours(choice: Choice) -> Chart:
    sums = revenue.by_hour(choice.scope, choice.days)
    return Chart(
        "hours",
        "When fans pay",
        "Revenue by weekday and hour, on the clocks of the report's time zone.",
        figures.by_hour(sums, choice.net) if sums else None,
        tables.by_hour(sums),
    )


def _cohorts(choice: Choice) -> Chart:
    found = cohorts.cohorts(choice.scope, choice.days.last)
    return Chart(
        "cohorts",
        "Who stays",
        "Of the fans who first paid in a month, the share that paid in the months after. Twelve months, whatever the "
        "range, in each account's own time zone.",
        figures.cohorts(found) if any(cohort.size for cohort in found[:-1]) else None,
        tables.cohorts(found),
        empty="There are no fans yet whose first payment was more than a month ago.",
    )


FROM_DAYS = {"revenue": _revenue, "types": _types}
ALONE = {
    "active-fans": _active_fans,
    "creators": lambda choice: _creators(choice, payers.by_account(choice.scope, choice.days)),
    "top-fans": _top_fans,
    "hours": _hours,
    "cohorts": _cohorts,
}
