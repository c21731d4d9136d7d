"""Campaigns with real workers: each fan once through pauses, kills and canceling, and answers always first."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.accounts.models import User
from app.campaigns import queries, service
from app.campaigns.queries import Standing
from app.campaigns.segments import Segment
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Priority
from app.messages.rules import Draft
from tests.journeys.audit import audit
from tests.journeys.authors import Author
from tests.journeys.house import WINDOW, House
from tests.journeys.waiting import until

DRAFT = Draft(text="Hi {{name}}!", priority=Priority.LOW)
BATCHES = 3


@contextmanager
def as_author(author: Author) -> Iterator[User]:
    """Inside, the author acts."""
    with author.app.app_context():
        yield db.session.get_one(User, author.user_id)


def launch(author: Author, fans: int) -> int:
    """A campaign of the author to so many new fans; its id."""
    with as_author(author) as viewer:
        with transaction():
            db.session.add_all(
                Fan(account_id=author.account_id, platform_id=str(5000 + number), name=f"Fan {number}")
                for number in range(fans)
            )
        campaign = service.launch_to(viewer, author.account_id, "News", DRAFT, Segment())
        author.app.extensions["desk"].publish_campaign(campaign.id)
        return campaign.id


def standing(author: Author, campaign_id: int) -> Standing:
    """How the campaign is doing."""
    with as_author(author) as viewer:
        return queries.standing(viewer, campaign_id)


def test_a_paused_campaign_lets_an_answer_through_and_goes_on_where_it_was(house: House) -> None:
    author = house.author()
    campaign_id = launch(author, 14)
    until(lambda: len(author.delivered()) >= 3, author.story)
    with as_author(author) as viewer:
        service.pause(viewer, campaign_id)
    until(lambda: standing(author, campaign_id).counts.sending == 0, author.story)
    paused_at = len(author.entries())
    answer = author.write("Thank you!", to="5013")
    author.wait_for(answer, "sent")
    assert len(author.entries()) == paused_at + 1
    with as_author(author) as viewer:
        service.resume(viewer, campaign_id)
    author.wait("sent")
    assert standing(author, campaign_id).stage == "completed"
    assert audit(author)["calls"] == 15


@pytest.mark.slow
def test_the_last_message_goes_when_the_estimate_said(house: House, author: Author) -> None:
    campaign_id = launch(author, 20)
    with as_author(author) as viewer:
        expected = author.app.extensions["desk"].completion(queries.standing(viewer, campaign_id))
    author.wait("sent")
    ended = max(message.sent_at for message in author.messages() if message.sent_at)
    assert expected is not None
    assert abs((ended - expected).total_seconds()) < WINDOW, author.story()
    audit(author)


def test_a_campaign_survives_a_kill_and_no_fan_gets_it_twice(house: House, author: Author) -> None:
    author.fault("latency", seconds=0.5, times=4)
    campaign_id = launch(author, 12)
    until(author.entries, author.story)
    house.workers[0].kill_all()
    house.start_worker()
    until(lambda: _all_sent(house, author), author.story)
    assert standing(author, campaign_id).counts.sent == 12
    assert sorted(author.texts()) == sorted(f"Hi Fan {number}!" for number in range(12))
    audit(author)


@pytest.mark.slow
def test_what_is_planned_in_the_background_is_there_though_its_worker_dies(house: House, author: Author) -> None:
    fans = 500 * (BATCHES - 1) + 20
    campaign_id = launch(author, fans)
    house.workers[0].kill_all()
    house.start_worker()
    with as_author(author):
        db.session.execute(db.text("UPDATE campaign SET planner_until = NULL WHERE planned_at IS NULL"))
        db.session.commit()
    until(lambda: standing(author, campaign_id).unplanned == 0, author.story)
    assert standing(author, campaign_id).total == fans
    assert len({message.fan_id for message in author.messages()}) == len(author.messages()) == fans
    with as_author(author) as viewer:
        service.cancel(viewer, campaign_id)
    audit(author)
    assert standing(author, campaign_id).stage == "canceled"


def _all_sent(house: House, author: Author) -> bool:
    house.hurry()
    return set(author.statuses()) == {"sent"}
