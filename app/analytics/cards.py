"""The key figures of a period, each with how it is counted; pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.analytics.queries import Figures, Summary
from app.analytics.tables import Cell, Column, Table, heading, written


@dataclass(frozen=True, slots=True)
class Card:
    """A figure beside the one of the period before; None where there is nothing to count."""

    name: str
    title: str
    kind: Cell
    current: float | None
    previous: float | None
    how: str

    @property
    def change(self) -> float | None:
        """By what share of the earlier figure it grew, shares themselves by their difference; None: nobody can say."""
        if self.current is None or self.previous is None:
            return None
        if self.kind is Cell.SHARE:
            return self.current - self.previous
        if not self.previous:
            return None
        return (self.current - self.previous) / self.previous


Read = Callable[[Figures], float | None]
CARDS: tuple[tuple[str, str, Cell, Read, str], ...] = (
    (
        "net",
        "Revenue, net",
        Cell.MONEY,
        lambda one: one.money.net,
        "What is left of all payments of the period after the platform's share.",
    ),
    (
        "gross",
        "Revenue, gross",
        Cell.MONEY,
        lambda one: one.money.gross,
        "What fans paid in the period: subscriptions, tips, paid messages, posts and streams.",
    ),
    (
        "averageNet",
        "Per paying fan, net",
        Cell.MONEY,
        lambda one: one.average.net if one.average else None,
        "Net revenue of the period, divided by its active fans.",
    ),
    (
        "averageGross",
        "Per paying fan, gross",
        Cell.MONEY,
        lambda one: one.average.gross if one.average else None,
        "Gross revenue of the period, divided by its active fans.",
    ),
    (
        "activeFans",
        "Active fans",
        Cell.COUNT,
        lambda one: one.active_fans,
        "Different fans who paid for something in the period.",
    ),
    ("newFans", "New fans", Cell.COUNT, lambda one: one.new_fans, "Fans who were added in the period."),
    (
        "totalFans",
        "Total fans",
        Cell.COUNT,
        lambda one: one.fans,
        "All fans at the end of the period, with or without a running subscription.",
    ),
    (
        "lifetimeValue",
        "Lifetime value, gross",
        Cell.MONEY,
        lambda one: one.lifetime_value,
        "What a fan had spent on average until the end of the period, since the very beginning.",
    ),
    (
        "messagesSent",
        "Messages sent",
        Cell.COUNT,
        lambda one: one.talk.sent,
        "Messages that reached the platform in the period, campaigns included.",
    ),
    (
        "delivered",
        "Delivered",
        Cell.SHARE,
        lambda one: one.talk.delivered,
        "Of the messages that came to an end in the period, the share that arrived.",
    ),
    (
        "medianAnswer",
        "Time to answer",
        Cell.SECONDS,
        lambda one: one.talk.median_wait.total_seconds() if one.talk.median_wait is not None else None,
        "Half of the fans' messages were answered sooner than this; campaigns are no answers. In large inboxes only "
        "the 50 latest messages of the 100 conversations with the latest messages are looked at.",
    ),
)


def cards(summary: Summary) -> list[Card]:
    """Every key figure, in the order of the page."""
    return [
        Card(name, title, kind, read(summary.current), read(summary.previous), how)
        for name, title, kind, read, how in CARDS
    ]


def table(found: Iterable[Card], zone_names: list[str]) -> Table:
    """The key figures as rows."""
    titles = ("Figure", "This period", "One period before", "How it is counted")
    columns = [Column(title, Cell.COUNT if 0 < place < 3 else Cell.TEXT) for place, title in enumerate(titles)]
    rows = [
        (
            heading(Column(card.title, card.kind), zone_names),
            written(card.kind, card.current),
            written(card.kind, card.previous),
            card.how,
        )
        for card in found
    ]
    return Table(columns, rows)
