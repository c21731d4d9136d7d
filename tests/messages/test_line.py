"""The line: an equal text waits until what became of the other one is known."""

import pytest

from app.messages import outcomes
from app.messages.models import Priority, Step
from app.messages.outcomes import Later, Sent
from tests.messages.line import claim, must_claim, must_claim_chore, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
UNCLEAR = Later(Step.LOOK_UP, 0, "no answer", unclear=True)


def test_an_equal_text_is_not_in_the_air_beside_another(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0], "Hello!", priority=Priority.NORMAL)
    first = must_claim(cast.account)
    second = queue(cast.ada, cast.conversations[0], "Hello!", priority=Priority.HIGH)

    assert claim(cast.account) is None
    outcomes.record([(first, Sent("1"))])
    assert must_claim(cast.account).message_id == second.id


def test_an_equal_text_waits_until_the_unclear_one_was_looked_up(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0], "Hello!", priority=Priority.NORMAL)
    outcomes.record([(must_claim(cast.account), UNCLEAR)])
    second = queue(cast.ada, cast.conversations[0], "Hello!", priority=Priority.HIGH)

    assert claim(cast.account) is None
    outcomes.record([(must_claim_chore(), Sent("1"))])
    assert must_claim(cast.account).message_id == second.id


def test_another_text_or_another_chat_waits_for_nothing(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0], "Hello!", priority=Priority.LOW)
    must_claim(cast.account)
    other_text = queue(cast.ada, cast.conversations[0], "Good morning!", priority=Priority.HIGH)
    other_chat = queue(cast.ada, cast.conversations[1], "Hello!", priority=Priority.NORMAL)

    assert [must_claim(cast.account).message_id for _ in range(2)] == [other_text.id, other_chat.id]
