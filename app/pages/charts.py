"""The charts of the analytics page, each with the table behind it, for what the reader has chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.analytics import audience, cards, cohorts, figures, payers, queries, revenue, tables
from app.analytics.buckets import buckets
from app.analytics.figures import Figure
from app.analytics.revenue import Money, Received
from app.analytics.tables import Table
from app.pages.reports import Choice

TOP = 10
FAN_PAGE = "/platforms/onlyfans/fans/{}"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above a chart, and is known before anything is counted."""

    name: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Chart(Head):
    """A chart with the table behind it, whose rows may have `links`.

    Without a `figure` there is nothing to draw, and `empty` says why.
    """

    figure: Figure | None
    table: Table
    empty: str = "Nothing was paid in these days."
    links: Sequence[str] = ()


def later(choice: Choice) -> list[Head]:
    """The charts that are asked for when they come into view, in the order of the page, the one over time first."""
    return [head(choice, name) for name in LATER if name != "creators" or len(choice.scope.accounts) > 1]


def head(choice: Choice, name: str) -> Head:
    """What stands above a chart of LATER."""
    title, about, _ = LATER[name]
    return Head(name, title, about.format(interval=choice.interval))


def chart(choice: Choice, name: str) -> Chart | None:
    """The chart of LATER with this name, or None."""
    return LATER[name][2](choice, head(choice, name)) if name in LATER else None


def table(choice: Choice, name: str) -> Table | None:
    """The table with this name, or None."""
    if name == "summary":
        counted = queries.summary(choice.scope, choice.days)
        return cards.table(cards.cards(counted), choice.scope.zone_names)
    if name in FROM_DAYS:
        return FROM_DAYS[name](choice, revenue.received(choice.scope, choice.days, choice.interval)).table
    found = chart(choice, name)
    return found.table if found else None


def over_time(choice: Choice, received: Received) -> Chart:
    """Revenue over time."""
    points = received.points
    paid = any(point.money.payments or point.before.payments for point in points)
    return Chart(
        "revenue",
        "Revenue over time",
        "Behind each bar, paler: what came in one period before.",
        figures.trend(points, choice.interval, choice.net) if paid else None,
        tables.trend(points),
    )


def _active_fans(choice: Choice, above: Head) -> Chart:
    counts = payers.over_time(choice.scope, choice.days, choice.interval)
    found = list(zip(buckets(choice.interval, choice.days), counts, strict=True))
    return Chart(
        *_words(above),
        figures.active(found, choice.interval) if any(counts) else None,
        tables.active(found),
    )


def _creators(choice: Choice, above: Head) -> Chart:
    scope, days = choice.scope, choice.days
    active = payers.by_account(scope, days)
    found, nothing = revenue.by_account(scope, days), (Money(), Money())
    fans = audience.fans_by_account(scope)
    ranked = sorted(scope.accounts, key=lambda one: (-found.get(one.id, nothing)[0].net, one.id))
    rows = [(one.id, one.display_name, *found.get(one.id, nothing)) for one in ranked]
    return Chart(
        *_words(above),
        figures.creators(rows[:TOP], choice.net) if found else None,
        tables.creators(
            (name, this, earlier, active.get(account_id, [0])[0], fans.get(account_id, 0))
            for account_id, name, this, earlier in rows
        ),
    )


def _top_fans(choice: Choice, above: Head) -> Chart:
    found = audience.top(choice.scope, choice.days, TOP, choice.net)
    return Chart(
        *_words(above),
        figures.top_fans(found, choice.net, FAN_PAGE.format) if found else None,
        tables.top_fans(found, choice.scope.names),
        links=[FAN_PAGE.format(fan.fan_id) for fan in found],
    )


def types(choice: Choice, received: Received) -> Chart:
    """Revenue by type."""
    sums = received.by_type
    return Chart(
        "types",
        "Revenue by type",
        "What fans paid for.",
        figures.by_type(sums, choice.net) if sums else None,
        tables.by_type(sums),
    )


def _hours(choice: Choice, above: Head) -> Chart:
    sums = revenue.by_hour(choice.scope, choice.days)
    return Chart(
        *_words(above),
        figures.by_hour(sums, choice.net) if sums else None,
        tables.by_hour(sums),
    )


def _cohorts(choice: Choice, above: Head) -> Chart:
    found = cohorts.cohorts(choice.scope, choice.days.last)
    return Chart(
        *_words(above),
        figures.cohorts(found) if any(cohort.size for cohort in found[:-1]) else None,
        tables.cohorts(found),
        empty="There are no fans yet whose first payment was more than a month ago.",
    )


def _words(above: Head) -> tuple[str, str, str]:
    return above.name, above.title, above.about


FROM_DAYS = {"revenue": over_time, "types": types}
LATER: dict[str, tuple[str, str, Callable[[Choice, Head], Chart]]] = {
    "active-fans": ("Active fans", "Different fans who paid for something in each {interval}.", _active_fans),
    "creators": (
        "Creators compared",
        "What each of them received, and in the equally long period before.",
        _creators,
    ),
    "top-fans": ("Top 10 fans", "Who paid the most in these days. A name leads to the fan.", _top_fans),
    "hours": (
        "When fans pay",
        "Revenue by weekday and hour, on the clocks of the report's time zone.",
        _hours,
    ),
    "cohorts": (
        "Who stays",
        "Of the fans who first paid in a month, the share that paid in the months after. Twelve months, whatever the "
        "range, in each account's own time zone.",
        _cohorts,
    ),
}
