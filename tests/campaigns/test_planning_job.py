"""Ten thousand messages aren't written in one go: batches, a job that goes on, and nobody twice whatever happens."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
import redis
from flask import Flask

from app import jobs
from app.campaigns import planning, queries, segments, service
from app.campaigns.models import Campaign
from app.campaigns.rules import Counts
from app.campaigns.segments import Segment
from app.db import database_now, transaction
from app.errors import Conflict, NotAllowed, NotFound
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Priority
from app.messages.rules import Draft
from config import Settings
from tests.campaigns.campaigns import counts, crowd, messages
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
DRAFT = Draft(text="Hi {{name}}!", priority=Priority.LOW)
EVERYBODY = Segment(tag="crowd")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten at once are enough here."""
    monkeypatch.setattr(planning, "BATCH", 10)


@pytest.fixture
def fans(cast: Cast) -> list[Fan]:
    """Thirty-five who wish for it."""
    return crowd(cast, 35, tags=["crowd"])


@pytest.fixture
def campaign(cast: Cast, fans: list[Fan]) -> Campaign:
    """A campaign to all of them, whose first batch is written."""
    return service.launch_to(cast.ada, cast.account.id, "News", DRAFT, EVERYBODY)


def waiting(settings: Settings) -> list[str]:
    """The jobs that wait for a background worker."""
    queue = jobs.queue(jobs.BACKGROUND, jobs.connect(settings.redis_url))
    return [f"{job.func_name}{job.args}" for job in queue.jobs]


def test_the_first_batch_goes_at_once_and_a_job_writes_the_others(
    cast: Cast, campaign: Campaign, settings: Settings
) -> None:
    standing = queries.standing(cast.ada, campaign.id)
    assert (standing.counts, standing.unplanned, standing.total) == (Counts(queued=10), 25, 35)
    assert standing.stage == "planning"
    assert waiting(settings) == [f"{planning.PLAN}[{campaign.id}]"]
    planning.plan(campaign.id)
    standing = queries.standing(cast.ada, campaign.id)
    assert (standing.counts, standing.unplanned, standing.stage) == (Counts(queued=35), 0, "queued")
    assert len({row.fan_id for row in messages(campaign)}) == 35
    assert {row.due_at for row in messages(campaign)} == {campaign.created_at}
    planning.plan(campaign.id)
    assert len(messages(campaign)) == 35


def test_a_segment_of_one_batch_needs_no_job(cast: Cast, settings: Settings) -> None:
    crowd(cast, 9, tags=["crowd"])
    campaign = service.launch_to(cast.ada, cast.account.id, "News", DRAFT, EVERYBODY)
    assert queries.standing(cast.ada, campaign.id).stage == "queued"
    assert waiting(settings) == []


def test_what_dies_within_a_batch_leaves_nothing_of_it(
    cast: Cast, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, batches = planning._write, count()

    def dies(of: Campaign, texts: dict[int, str]) -> None:
        write(of, texts)
        if next(batches) == 1:
            raise SystemExit

    monkeypatch.setattr(planning, "_write", dies)
    with pytest.raises(SystemExit):
        planning.plan(campaign.id)
    assert len(messages(campaign)) == 20
    planning.plan(campaign.id)
    assert len({row.fan_id for row in messages(campaign)}) == len(messages(campaign)) == 35


def test_two_workers_write_each_message_once(cast: Cast, campaign: Campaign, app: Flask) -> None:
    def work(_: int) -> None:
        with app.app_context():
            planning.plan(campaign.id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len({row.fan_id for row in messages(campaign)}) == len(messages(campaign)) == 35


def test_a_campaign_that_nobody_plans_any_more_is_handed_on_again(campaign: Campaign, settings: Settings) -> None:
    planning.hand_on_stalled()
    assert len(waiting(settings)) == 1
    with transaction():
        campaign.planner_until = database_now() - timedelta(seconds=1)
    planning.hand_on_stalled()
    planning.hand_on_stalled()
    assert len(waiting(settings)) == 2
    planning.plan(campaign.id)
    with transaction():
        campaign.planner_until = None
    planning.hand_on_stalled()
    assert len(waiting(settings)) == 2


def test_without_redis_a_launch_still_stands(
    cast: Cast, fans: list[Fan], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def away(*_: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(jobs, "enqueue", away)
    campaign = service.launch_to(cast.ada, cast.account.id, "News", DRAFT, EVERYBODY)
    assert counts(cast.ada, campaign) == Counts(queued=10)


def test_a_pause_at_any_moment_meets_what_is_written_later_too(cast: Cast, campaign: Campaign) -> None:
    planning.plan_batch(campaign.id)
    service.pause(cast.ada, campaign.id)
    planning.plan(campaign.id)
    assert {row.held for row in messages(campaign)} == {True}
    assert len(messages(campaign)) == 35
    service.resume(cast.ada, campaign.id)
    assert {row.held for row in messages(campaign)} == {False}


def test_pausing_while_others_write_leaves_nothing_loose(cast: Cast, campaign: Campaign, app: Flask) -> None:
    def work(number: int) -> None:
        with app.app_context():
            if number == 2:
                service.pause(cast.ada, campaign.id)
            else:
                planning.plan(campaign.id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, random.sample(range(4), 4)))
    assert {row.held for row in messages(campaign)} == {True}
    assert len(messages(campaign)) == 35


def test_a_canceled_campaign_writes_no_more(cast: Cast, campaign: Campaign) -> None:
    service.cancel(cast.ada, campaign.id)
    planning.plan(campaign.id)
    assert counts(cast.ada, campaign) == Counts(canceled=10)
    assert campaign.planned_at is not None


def test_who_gets_it_is_asked_as_of_the_launch(cast: Cast, fans: list[Fan]) -> None:
    quiet = Segment(tag="crowd", quiet_minutes=60)
    campaign = service.launch_to(cast.ada, cast.account.id, "News", DRAFT, quiet)
    planning.plan(campaign.id)
    assert len(messages(campaign)) == 35
    with pytest.raises(Conflict, match="Nobody"):
        service.launch_to(cast.ada, cast.account.id, "News", DRAFT, quiet)


def test_too_many_are_refused(cast: Cast, fans: list[Fan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST", 34)
    with pytest.raises(Conflict, match="choose fewer"):
        service.launch_to(cast.ada, cast.account.id, "News", DRAFT, EVERYBODY)
    assert db.session.query(Campaign).count() == 0


def test_segments_are_the_creators_own(cast: Cast, fans: list[Fan]) -> None:
    with pytest.raises(NotAllowed):
        service.launch_to(cast.max, cast.account.id, "News", DRAFT, EVERYBODY)
    with pytest.raises(NotFound):
        service.launch_to(cast.eve, cast.account.id, "News", DRAFT, EVERYBODY)


def test_who_cannot_be_greeted_is_rejected_by_the_job_too(cast: Cast, fans: list[Fan]) -> None:
    with transaction():
        fans[30].name = "x" * 200
    long = Draft(text="{{name}}" + "x" * 4900, priority=Priority.LOW)
    campaign = service.launch_to(cast.ada, cast.account.id, "News", long, EVERYBODY)
    planning.plan(campaign.id)
    assert [one["recipientId"] for one in campaign.rejected] == [fans[30].id]
    assert len(messages(campaign)) == 34
