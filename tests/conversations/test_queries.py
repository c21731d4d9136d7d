"""The inbox: one's own conversations, newest first, found by name or handle."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect

from app.clock import now
from app.conversations import queries, service
from app.conversations.models import Conversation
from app.conversations.queries import Show
from app.db import transaction
from app.errors import NotFound
from app.extensions import db
from app.fans.models import Fan
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")


def _names(conversations: list[Conversation]) -> list[str]:
    return [conversation.fan.name for conversation in conversations]


@pytest.fixture
def spoken(cast: Cast) -> Cast:
    """Vic wrote last, then Tom; Uma and Nora never did."""
    service.touch(cast.conversations[0].id, "earlier", now() - timedelta(minutes=2))
    service.touch(cast.conversations[2].id, "later", now())
    for conversation in cast.conversations:
        db.session.refresh(conversation)
    return cast


def test_the_newest_come_first_and_the_silent_last(spoken: Cast) -> None:
    assert _names(queries.inbox(spoken.ada)) == ["Vic Vapour", "Tom Tester", "Nameless Nora", "Uma Umbrella"]


def test_people_see_their_own(spoken: Cast) -> None:
    assert len(queries.inbox(spoken.max)) == 4
    assert _names(queries.inbox(spoken.eve)) == ["Eves Only Fan"]
    assert queries.inbox(spoken.olga) == []
    assert queries.inbox(spoken.bea) == []
    assert queries.inbox(spoken.eve, account_id=spoken.account.id) == []


def test_a_page_on_by_offset_or_by_cursor_misses_nobody(spoken: Cast) -> None:
    whole = queries.inbox(spoken.ada)
    assert [queries.inbox(spoken.ada, offset=n, limit=1) for n in range(5)] == [[one] for one in whole] + [[]]
    walked, before = [], None
    while page := queries.inbox(spoken.ada, limit=1, before=before):
        walked += page
        before = (page[-1].last_message_at, page[-1].id)
    assert walked == whole


def test_who_waits_for_an_answer_is_found(spoken: Cast) -> None:
    for number, direction in enumerate(("in", "out", "in")):
        service.touch(spoken.conversations[number].id, "newest", now() + timedelta(minutes=number), direction)
    assert _names(queries.inbox(spoken.ada, Show.WAITING)) == ["Vic Vapour", "Tom Tester"]
    service.touch(spoken.conversations[2].id, "answered", now() + timedelta(minutes=9))
    assert _names(queries.inbox(spoken.ada, Show.WAITING)) == ["Tom Tester"]


def test_high_spenders_are_found(spoken: Cast) -> None:
    with transaction():
        spoken.fans[0].value_cents, spoken.fans[1].value_cents = 20_000, 19_999
    assert _names(queries.inbox(spoken.ada, Show.SPENDERS)) == ["Tom Tester"]


def test_the_unread_are_found_and_counted(spoken: Cast) -> None:
    with transaction():
        spoken.conversations[1].unread_count = 2
    assert _names(queries.inbox(spoken.ada, Show.UNREAD)) == ["Uma Umbrella"]
    assert queries.count_unread(spoken.max, spoken.account.id) == 1
    assert queries.count_unread(spoken.eve, spoken.account.id) == 0


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("tom", ["Tom Tester"]),
        ("  VAPOUR ", ["Vic Vapour"]),
        ("@tom_t", ["Tom Tester"]),
        ("nora_now", ["Nameless Nora"]),
        ("tes", ["Tom Tester"]),
        ("nobody at all", []),
        ("m%r", []),
        ("vic_", ["Vic Vapour"]),
        ("v_c", []),
        ("\\", []),
        ("'; --", []),
        ("\x00tom", ["Tom Tester"]),
        ("ö" * 5000, []),
    ],
)
def test_a_search_takes_its_words_as_they_are(spoken: Cast, search: str, found: list[str]) -> None:
    assert _names(queries.inbox(spoken.ada, search=search)) == found


@pytest.mark.parametrize("blank", ["", "   "])
def test_a_blank_search_is_none(spoken: Cast, blank: str) -> None:
    assert len(queries.inbox(spoken.ada, search=blank)) == 4


def test_one_conversation_comes_with_its_fan_for_its_people_alone(spoken: Cast) -> None:
    conversation = spoken.conversations[0]
    db.session.expunge_all()
    found = queries.conversation(spoken.ada, conversation.id)
    assert "fan" not in inspect(found).unloaded
    assert found.fan.name == "Tom Tester"
    for viewer, conversation_id in ((spoken.eve, conversation.id), (spoken.olga, conversation.id), (spoken.ada, 999)):
        with pytest.raises(NotFound):
            queries.conversation(viewer, conversation_id)


def test_an_inbox_of_any_length_is_one_query(spoken: Cast) -> None:
    with transaction():
        newcomers = [Fan(account_id=spoken.account.id, platform_id=str(n), name=f"Fan {n}") for n in range(30)]
        db.session.add_all(newcomers)
        db.session.flush()
        db.session.add_all(Conversation(account_id=fan.account_id, fan_id=fan.id) for fan in newcomers)
    ada = spoken.ada
    db.session.expunge_all()
    with count_queries() as statements:
        assert len(_names(queries.inbox(ada))) == 34
    assert len(statements) == 1
