"""Messages in figures: how many went out, how many arrived, how long fans waited for an answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from app.analytics import zones
from app.analytics.scope import Period, Scope, Span
from app.conversations.models import Conversation
from app.db import UtcDateTime
from app.extensions import db
from app.fans.models import Fan
from app.fans.queries import tagged
from app.messages.models import Message, Status

MOST_THREADS, MOST_MESSAGES = 100, 50
"""In how many conversations, those of the latest messages, answers are timed, and among how many messages of each.

A median needs no more.
"""


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages of a period: `sent` arrived, `lost` failed or nobody can tell; waits are of fans, for an answer."""

    sent: int
    lost: int
    waits: list[timedelta]

    @property
    def delivered(self) -> float | None:
        """The share of messages that arrived, 0 to 1; None when none came to an end."""
        return self.sent / (self.sent + self.lost) if self.sent + self.lost else None

    @property
    def median_wait(self) -> timedelta | None:
        """Half of the answers came sooner; None without answers."""
        return timedelta(seconds=median(wait.total_seconds() for wait in self.waits)) if self.waits else None


def talk(scope: Scope, period: Period) -> Talk:
    """How the period's conversation went."""
    sent = lost = 0
    waits: list[timedelta] = []
    for span in scope.spans(period):
        sent += _count(scope, span, Status.SENT, Message.sent_at)
        lost += _count(scope, span, Status.FAILED, Message.failed_at)
        lost += _count(scope, span, Status.UNKNOWN, Message.created_at)
        waits += [end - start for start, end in db.session.execute(_answers(scope, span))]
    return Talk(sent, lost, waits)


def _count(
    scope: Scope,
    span: Span,
    status: Status,
    at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
) -> int:
    # Spelled out, so that the index that holds only these can be chosen.
    these = Message.status == literal(status.value, literal_execute=True)
    query = select(func.count()).select_from(Message).where(these, *_of(scope, span))
    return db.session.execute(
        query.where(at >= zones.moment_of(span.start), at < zones.moment_of(span.end))
    ).scalar_one()


def _answers(scope: Scope, span: Span) -> Select[datetime, datetime]:
    """When a fan wrote after we had, and when a person answered; campaigns are no answers."""
    before = func.lag(Message.direction).over(
        partition_by=Message.conversation_id, order_by=(Message.created_at, Message.id)
    )
    said = (
        select(
            Message.conversation_id,
            Message.id,
            Message.created_at,
            Message.direction,
            case((Message.direction == "out", Message.sent_at), else_=Message.created_at).label("at"),
            before.label("before"),
        )
        .join(threads := _threads(span).subquery(), threads.c.id == Message.conversation_id)
        .where(
            Message.created_at >= func.coalesce(threads.c.since, zones.moment_of(span.start)),
            Message.created_at < zones.moment_of(span.end),
            Message.status.in_((Status.RECEIVED, Status.SENT)),
            Message.campaign_id.is_(None),
            *_of(scope, span),
        )
    )
    lines = said.subquery()
    turns = (
        select(
            lines.c.direction,
            lines.c.at,
            func.lead(lines.c.at, type_=UtcDateTime)
            .over(partition_by=lines.c.conversation_id, order_by=(lines.c.created_at, lines.c.id))
            .label("answered_at"),
        )
        .where((lines.c.before != lines.c.direction) | lines.c.before.is_(None))
        .subquery()
    )
    return select(turns.c.at, turns.c.answered_at).where(
        turns.c.direction == "in", turns.c.answered_at.is_not(None), turns.c.answered_at >= turns.c.at
    )


def _threads(span: Span) -> Select[int, datetime]:
    """The conversations that are looked at, and since when: None for all of the span."""
    start, end = zones.moment_of(span.start), zones.moment_of(span.end)
    # Threads have indexes, accounts have one of their threads' last messages.
    found = (
        select(Conversation.id)
        .where(Conversation.account_id.in_(span.account_ids), Conversation.last_message_at >= start)
        .order_by(Conversation.last_message_at.desc())
        .limit(MOST_THREADS)
        .subquery()
    )
    since = (
        select(Message.created_at)
        .where(Message.conversation_id == found.c.id, Message.created_at >= start, Message.created_at < end)
        .order_by(Message.created_at.desc())
        .offset(MOST_MESSAGES - 1)
        .limit(1)
        .correlate(found)
        .scalar_subquery()
    )
    return select(found.c.id, since.label("since"))


def _of(scope: Scope, span: Span) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Message.account_id.in_(span.account_ids)]
    if scope.tag:
        with_tag = select(Fan.id).where(Fan.account_id.in_(span.account_ids), tagged(scope.tag))
        found.append(Message.fan_id.in_(with_tag))
    return found
