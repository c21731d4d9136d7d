"""Campaigns on their way: tickets in batches, those that the queue refuses one by one, and when the last one goes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.campaigns import queries, service
from app.campaigns.models import Campaign
from app.clock import now
from app.delivery import estimate, heartbeat
from app.delivery.circuit_breaker import Breaker, State
from app.delivery.desk import HELD, Desk
from app.delivery.relay import Relay
from app.delivery.token_bucket import View
from app.gateways.sqs import SqsQueue
from app.messages import handover
from app.messages.models import Priority
from config import RateLimit
from embedded.aws import AwsEndpoint
from tests.campaigns.campaigns import crowd, launch, messages
from tests.messages.line import change, claim, fresh, pass_time, queue
from tests.support.cast import Cast
from tests.support.queries import count_queries

LIMIT = RateLimit(messages=10, window=60.0, min_gap=3.0)
CLOSED = Breaker(State.CLOSED, 0)
QUIET = View(now_ms=1_000_000, start_ms=0, hold_ms=0, back_ms=[], breaker=CLOSED, platform_breaker=CLOSED)


@pytest.fixture
def desk(app: Flask, aws: AwsEndpoint) -> Desk:
    """The desk of an app with a queue, while a worker is alive."""
    heartbeat.beat("tests", "delivery")
    desk: Desk = app.extensions["desk"]
    return desk


@pytest.fixture
def sqs(aws: AwsEndpoint, app: Flask) -> SqsQueue:
    """The real queue that the desk publishes to."""
    found = app.extensions["desk"].queue
    assert isinstance(found, SqsQueue)
    return found


class Unreliable:
    """A real SQS client that refuses every third entry of each batch, as SQS does when it has a bad moment."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.batches: list[int] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Hand on the others, and say which were refused."""
        self.batches.append(len(Entries))
        refused = [entry for number, entry in enumerate(Entries) if number % 3 == 2]
        kept = [entry for entry in Entries if entry not in refused]
        answer: dict[str, Any] = self.client.send_message_batch(QueueUrl=QueueUrl, Entries=kept)
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in refused]
        return answer | {"Failed": failed}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


def on_the_queue(sqs: SqsQueue) -> list[str]:
    """Bodies of all tickets."""
    found: list[str] = []
    while batch := sqs.receive(0):
        found += [item.body for item in batch]
    return found


def test_tickets_go_in_batches_and_refused_ones_go_alone_later(cast: Cast, desk: Desk, sqs: SqsQueue) -> None:
    campaign = launch(cast.ada, crowd(cast, 25))
    real, sqs.client = sqs.client, Unreliable(sqs.client)
    desk.publish_campaign(campaign.id)
    assert sqs.client.batches == [10, 10, 5]
    published = [row.published_at is not None for row in messages(campaign)]
    assert published == [number % 10 % 3 != 2 for number in range(25)]
    assert all((row.published_at is None) == (row.sqs_message_id is None) for row in messages(campaign))
    sqs.client = real
    pass_time(timedelta(seconds=3))
    Relay(sqs, None).relay_once()
    assert all(row.published_at is not None for row in messages(campaign))
    tickets = on_the_queue(sqs)
    assert len(tickets) == 25
    assert all(sum(row.public_id in ticket for ticket in tickets) == 1 for row in messages(campaign))


def test_what_is_paused_before_it_is_published_is_published_all_the_same(cast: Cast, desk: Desk, sqs: SqsQueue) -> None:
    campaign = launch(cast.ada, cast.fans[:2])
    service.pause(cast.ada, campaign.id)
    desk.publish_campaign(campaign.id)
    handover.mark_received([row.public_id for row in messages(campaign)])
    assert claim(cast.account) is None
    service.resume(cast.ada, campaign.id)
    assert claim(cast.account) is not None
    assert len(on_the_queue(sqs)) == 2


def finish(desk: Desk, cast: Cast, campaign: Campaign) -> datetime | None:
    """When the campaign will be over."""
    return desk.completion(queries.standing(cast.ada, campaign.id))


@pytest.mark.usefixtures("any_database")
def test_the_end_of_a_campaign_is_the_place_of_its_last_message(cast: Cast) -> None:
    first = launch(cast.ada, cast.fans[:3])
    second = launch(cast.ada, cast.fans[:2])
    queue(cast.ada, cast.conversations[0])
    normal = launch(cast.ada, cast.fans[:1], priority=Priority.NORMAL)
    ends = [estimate.calls_until_done(cast.account.id, one.id) for one in (first, second, normal)]
    assert ends == [5, 7, 2]
    assert [estimate.calls_before(cast.account.id, priority) for priority in Priority] == [1, 2, 7]
    service.pause(cast.ada, first.id)
    assert estimate.calls_until_done(cast.account.id, second.id) == 4
    assert estimate.calls_until_done(cast.account.id, first.id) == 0
    assert estimate.calls_until_done(cast.beas_account.id, second.id) == 0


def test_a_long_line_is_counted_in_two_queries(cast: Cast) -> None:
    campaign = launch(cast.ada, crowd(cast, 200))
    with count_queries() as statements:
        assert estimate.calls_until_done(cast.account.id, campaign.id) == 200
    assert len(statements) == 2


@pytest.mark.parametrize(
    ("calls", "later", "due", "seconds"),
    [
        (1, 0, None, 0.3),
        (10, 0, None, 27.3),
        (100, 0, None, 570),
        (0, 100, None, 570),
        (50, 50, None, 570),
        (0, 100, 3600, 3600 + 570),
        (0, 1, 3600, 3600.3),
        (1000, 10, 60, 6060),
    ],
)
def test_a_hundred_fans_take_about_ten_minutes(calls: int, later: int, due: int | None, seconds: float) -> None:
    moment = now()
    due_at = None if due is None else moment + timedelta(seconds=due)
    end = estimate.finished_at(QUIET, calls, LIMIT, moment, later, due_at)
    # One window: what SPEC allows; the simulated sender of test_estimate is held to much less.
    assert abs((end - moment).total_seconds() - seconds) < LIMIT.window / 2


def test_nothing_is_estimated_while_nothing_moves(cast: Cast, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = launch(cast.ada, cast.fans[:3])
    assert finish(desk, cast, campaign) is not None
    service.pause(cast.ada, campaign.id)
    assert finish(desk, cast, campaign) is None
    service.resume(cast.ada, campaign.id)
    monkeypatch.setattr(desk, "sending", False)
    assert finish(desk, cast, campaign) is None
    monkeypatch.setattr(desk, "sending", True)
    service.cancel(cast.ada, campaign.id)
    assert finish(desk, cast, campaign) is None
    over = launch(cast.ada, [])
    assert finish(desk, cast, over) is None


def test_a_message_that_is_held_says_so(cast: Cast, desk: Desk) -> None:
    campaign = launch(cast.ada, cast.fans[:1])
    (message,) = messages(campaign)
    assert desk.waiting(message).place == 1
    service.pause(cast.ada, campaign.id)
    assert desk.waiting(fresh(message)).reason == HELD
    change(message, status="sending")
    assert desk.waiting(fresh(message)).reason is None


def test_the_estimate_of_a_new_campaign_counts_who_goes_before(cast: Cast, desk: Desk) -> None:
    launch(cast.ada, crowd(cast, 30))
    alone = desk.finish(cast.beas_account.id, Priority.LOW, 10, None)
    behind = desk.finish(cast.account.id, Priority.LOW, 10, None)
    passing = desk.finish(cast.account.id, Priority.HIGH, 10, None)
    assert alone is not None
    assert behind is not None
    assert passing is not None
    assert timedelta(seconds=170) < behind - alone < timedelta(seconds=190)
    assert abs(passing - alone) < timedelta(seconds=1)
