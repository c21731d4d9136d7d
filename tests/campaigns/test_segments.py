"""Whom a segment reaches: every wish alone and together, the same fans however they are counted or listed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.campaigns import segments
from app.campaigns.segments import Segment
from app.clock import now
from app.conversations.models import Conversation
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages.models import Message, Status
from tests.campaigns.campaigns import crowd, launch
from tests.messages.line import change, queue
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")
Reached = Callable[..., set[str]]
DAY = timedelta(days=1)


@pytest.fixture
def reached(cast: Cast) -> Reached:
    """`reached(tag="vip")`: names of those whom the segment reaches now."""

    def ask(**wishes: Any) -> set[str]:
        segment = Segment(**wishes)
        assert Segment.of(segment.plain()) == segment
        at = now()
        found = segments.audience(cast.account.id, segment, at, some=50)
        one_by_one: list[int] = []
        while batch := segments.following(cast.account.id, segment, at, one_by_one[-1] if one_by_one else 0, most=1):
            one_by_one += [fan.id for fan in batch]
        assert sorted(fan.id for fan in found.some) == one_by_one
        assert found.reachable == len(one_by_one)
        return {fan.name.split()[0] for fan in found.some}

    return ask


@pytest.fixture
def three(cast: Cast) -> list[Fan]:
    """Tom the VIP who spent most, Uma, and Vic who expired: the only ones of Ada's who can be written to."""
    tom, uma, vic = cast.fans[:3]
    with transaction():
        tom.tags, tom.tier, tom.value_cents, tom.last_seen_at = ["vip", "Ü%_\\"], "Gold", 90_000, now() - DAY
        uma.tags, uma.tier, uma.value_cents, uma.last_seen_at = ["vip2"], "Basic", 500, now() - 20 * DAY
        vic.tags, vic.status = [], "expired"
    return [tom, uma, vic]


def speak(cast: Cast, place: int, direction: str, ago: timedelta) -> Message:
    """Somebody wrote in one of Ada's conversations."""
    conversation = cast.conversations[place]
    message = queue(cast.ada, conversation)
    change(message, direction=direction, status="received" if direction == "in" else "sent", created_at=now() - ago)
    with transaction():
        spoken = update(Conversation).where(Conversation.id == conversation.id).values(last_message_at=now() - ago)
        db.session.execute(spoken)
    return message


def test_without_wishes_everybody_who_can_be_written_to(cast: Cast, three: list[Fan], reached: Reached) -> None:
    assert reached() == {"Tom", "Uma", "Vic"}
    found = segments.audience(cast.account.id, Segment(), now(), some=2)
    assert (found.reachable, found.unreachable, [fan.name for fan in found.some]) == (
        3,
        1,
        ["Tom Tester", "Uma Umbrella"],
    )
    with transaction():
        three[0].unreachable_at = now()
    assert reached() == {"Uma", "Vic"}


def test_who_was_taken_out_is_gone(cast: Cast, three: list[Fan], reached: Reached) -> None:
    with transaction():
        three[0].removed_at = now()
    assert reached() == {"Uma", "Vic"}
    assert segments.tiers(cast.account.id) == ["Basic"]
    campaign = launch(cast.ada, three[:2])
    assert [one["recipientId"] for one in campaign.rejected] == [three[0].id]


@pytest.mark.parametrize(
    ("wishes", "names"),
    [
        ({"tag": "vip"}, {"Tom"}),
        ({"tag": "Ü%_\\"}, {"Tom"}),
        ({"tag": "vip%"}, set()),
        ({"without_tag": "vip"}, {"Uma", "Vic"}),
        ({"tier": "Gold"}, {"Tom"}),
        ({"status": "expired"}, {"Vic"}),
        ({"spent_from": 500}, {"Tom", "Uma"}),
        ({"spent_to": 500}, {"Uma", "Vic"}),
        ({"spent_from": 501, "spent_to": 89_999}, set()),
        ({"seen": 7}, {"Tom"}),
        ({"seen": 30}, {"Tom", "Uma"}),
        ({"seen": -7}, {"Uma", "Vic"}),
        ({"tag": "vip", "status": "expired"}, set()),
    ],
)
def test_wishes_about_a_fan(three: list[Fan], reached: Reached, wishes: dict[str, Any], names: set[str]) -> None:
    assert reached(**wishes) == names


def test_wishes_about_the_last_message(cast: Cast, three: list[Fan], reached: Reached) -> None:
    speak(cast, 0, "in", 2 * DAY)
    speak(cast, 1, "out", 40 * DAY)
    assert reached(talked=7) == {"Tom"}
    assert reached(talked=90) == {"Tom", "Uma"}
    assert reached(talked=-7) == {"Uma", "Vic"}
    assert reached(talked=0) == {"Vic"}


def test_nobody_is_written_to_twice_within_the_quiet_time(cast: Cast, three: list[Fan], reached: Reached) -> None:
    speak(cast, 0, "out", timedelta(minutes=10))
    failed = speak(cast, 1, "out", timedelta(minutes=10))
    change(failed, status=Status.FAILED)
    speak(cast, 2, "in", timedelta(minutes=10))
    assert reached(quiet_minutes=60) == {"Uma", "Vic"}
    assert reached(quiet_minutes=5) == {"Tom", "Uma", "Vic"}
    found = segments.audience(cast.account.id, Segment(quiet_minutes=60, spare_live=True), now(), some=9)
    assert (found.reachable, found.spared, found.unreachable) == (1, 2, 1)


def test_a_live_conversation_is_spared(cast: Cast, three: list[Fan], reached: Reached) -> None:
    speak(cast, 0, "in", timedelta(minutes=10))
    speak(cast, 1, "in", timedelta(minutes=90))
    speak(cast, 1, "out", timedelta(minutes=5))
    assert reached(spare_live=True) == {"Uma", "Vic"}


def test_what_a_campaign_wrote_counts_as_written(cast: Cast, three: list[Fan], reached: Reached) -> None:
    launch(cast.ada, three[:2])
    assert reached(quiet_minutes=60) == {"Vic"}


def test_only_the_accounts_own(cast: Cast, three: list[Fan]) -> None:
    assert segments.audience(cast.eves_account.id, Segment(), now(), some=9).reachable == 1
    assert segments.tiers(cast.account.id) == ["Basic", "Gold"]
    assert segments.tags(cast.account.id) == ["vip", "vip2", "Ü%_\\"]
    assert segments.tags(cast.beas_account.id) == []


def test_however_many_two_queries_answer(cast: Cast) -> None:
    crowd(cast, 60)
    with count_queries() as statements:
        segments.audience(cast.account.id, Segment(quiet_minutes=5, spare_live=True, tag="x", talked=3), now(), some=3)
    assert len(statements) <= 2
