"""The relay: whatever the door, SQS or a crash left behind reaches delivery all the same; dead letters come once."""

import pytest

from app.delivery.relay import AT_ONCE, SKIP_AFTER_FAILURE, UNREACHABLE_AFTER, Relay
from app.messages import outcomes, service
from app.messages.models import Message
from app.messages.outcomes import Failed
from tests.delivery.queues import UnrulyQueue, drain
from tests.messages.line import change, fresh, must_claim, pass_time
from tests.messages.line import queue as accept
from tests.messages.test_handover import NEVER_PUBLISHED, NEVER_RECEIVED
from tests.support.cast import Cast


def _accept(cast: Cast, count: int = 1) -> list[Message]:
    messages = [accept(cast.ada, cast.conversations[number % 3], received=False) for number in range(count)]
    pass_time(NEVER_PUBLISHED)
    return messages


def _wait(relay: Relay, seconds: float) -> None:
    """Let time pass for the relay."""
    relay.skip_until -= seconds
    relay.skip_burials_until -= seconds
    if relay.failing_since is not None:
        relay.failing_since -= seconds


def _ids(queue: UnrulyQueue) -> list[str]:
    return sorted(body["messageId"] for body in drain(queue))


def test_what_the_door_missed_is_on_the_queue_once(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    messages = _accept(cast, 3)
    assert relay.relay_once() == []
    assert relay.relay_once() == []
    assert _ids(queue) == sorted(message.public_id for message in messages)
    assert all(fresh(message).sqs_message_id and message.received_at is None for message in messages)


def test_a_young_message_is_left_to_its_door(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    message = accept(cast.ada, cast.conversations[0], received=False)
    relay.relay_once()
    relay.publish_now([message.id])
    relay.relay_once()
    assert _ids(queue) == [message.public_id]


def test_what_sqs_lost_is_published_again_but_not_what_came_in(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    lost, received = _accept(cast, 2)
    relay.relay_once()
    drain(queue)
    change(received, received_at=fresh(received).published_at)
    pass_time(NEVER_RECEIVED)
    relay.relay_once()
    assert _ids(queue) == [lost.public_id]


def test_a_ticket_that_was_refused_follows_later(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    refused, taken = _accept(cast, 2)
    queue.refused = {str(refused.id)}
    relay.relay_once()
    assert fresh(refused).published_at is None
    queue.refused.clear()
    relay.relay_once()
    assert _ids(queue) == sorted([refused.public_id, taken.public_id])


@pytest.mark.parametrize("fault", ["away", "breaks_off"])
def test_tickets_whose_fate_nobody_knows_are_published_again(
    cast: Cast, relay: Relay, queue: UnrulyQueue, fault: str
) -> None:
    (message,) = _accept(cast)
    setattr(queue, fault, True)
    assert relay.relay_once() == []
    assert fresh(message).published_at is None
    setattr(queue, fault, False)
    _wait(relay, SKIP_AFTER_FAILURE / 5)
    assert relay.relay_once() == []
    # It may have arrived before the answer was lost; a ticket too many does no harm, a lost one would.
    assert set(_ids(queue)) == {message.public_id}


def test_a_backlog_goes_a_hundred_at_a_time(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    messages = _accept(cast, AT_ONCE + 5)
    relay.relay_once()
    assert queue.queue.depth().visible == AT_ONCE
    relay.relay_once()
    assert len(_ids(queue)) == len(messages)


def test_a_queue_that_is_away_for_a_moment_hands_nothing_over(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    (message,) = _accept(cast)
    queue.away = True
    relay.relay_once()
    _wait(relay, UNREACHABLE_AFTER - 1)
    assert relay.relay_once() == []
    assert not relay.unreachable()
    assert fresh(message).received_at is None


def test_a_queue_that_stays_away_is_done_without(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    (message,) = _accept(cast)
    queue.away = True
    relay.relay_once()
    _wait(relay, UNREACHABLE_AFTER)
    assert relay.unreachable()
    assert relay.relay_once() == [cast.account.id]
    assert fresh(message).received_at is not None
    assert must_claim(cast.account).message_id == message.id


def test_a_queue_that_is_back_is_used_again(cast: Cast, relay: Relay, queue: UnrulyQueue) -> None:
    _accept(cast)
    queue.away = True
    relay.relay_once()
    _wait(relay, UNREACHABLE_AFTER)
    relay.relay_once()
    queue.away = False
    relay.note(reachable=True)
    _wait(relay, SKIP_AFTER_FAILURE)
    (later,) = _accept(cast)
    assert relay.relay_once() == []
    assert _ids(queue) == [later.public_id]
    assert fresh(later).received_at is None


def test_the_first_failure_counts_until_an_answer(relay: Relay) -> None:
    relay.note(reachable=False)
    _wait(relay, UNREACHABLE_AFTER / 2)
    relay.note(reachable=False)
    _wait(relay, UNREACHABLE_AFTER / 2)
    assert relay.unreachable()
    relay.note(reachable=True)
    relay.note(reachable=False)
    assert not relay.unreachable()


def test_where_no_queue_is_configured_rows_go_without(cast: Cast) -> None:
    relay = Relay(None, None)
    (message,) = _accept(cast)
    relay.publish_now([message.id])
    assert relay.relay_once() == [cast.account.id]
    relay.bury_once()
    assert fresh(message).received_at is not None


@pytest.fixture
def failed(cast: Cast) -> Message:
    """A message that failed for a reason."""
    message = accept(cast.ada, cast.conversations[0])
    outcomes.record([(must_claim(cast.account), Failed("the reason", "CODE", 400))])
    return fresh(message)


def test_a_failed_message_has_one_dead_letter_with_its_reason(
    failed: Message, relay: Relay, dead_letters: UnrulyQueue
) -> None:
    relay.bury_once()
    relay.bury_once()
    (letter,) = drain(dead_letters)
    assert (letter["messageId"], letter["reason"]) == (failed.public_id, "the reason")
    assert fresh(failed).dead_lettered_at is not None


def test_only_failed_messages_are_dead(cast: Cast, relay: Relay, dead_letters: UnrulyQueue) -> None:
    for status in ("queued", "sending", "sent", "unknown", "canceled", "scheduled"):
        change(accept(cast.ada, cast.conversations[0]), status=status)
    relay.bury_once()
    assert dead_letters.sends == 0


@pytest.mark.parametrize("fault", ["away", "refused"])
def test_a_dead_letter_that_was_not_taken_follows_later(
    failed: Message, relay: Relay, dead_letters: UnrulyQueue, fault: str
) -> None:
    setattr(dead_letters, fault, {str(failed.id)} if fault == "refused" else True)
    relay.bury_once()
    assert fresh(failed).dead_lettered_at is None
    setattr(dead_letters, fault, set() if fault == "refused" else False)
    _wait(relay, SKIP_AFTER_FAILURE)
    relay.bury_once()
    assert _ids(dead_letters) == [failed.public_id]


def test_dead_letters_that_are_away_are_not_asked_at_every_tick(
    failed: Message, relay: Relay, dead_letters: UnrulyQueue
) -> None:
    dead_letters.away = True
    for _ in range(5):
        relay.bury_once()
    assert dead_letters.sends == 1
    assert fresh(failed).lease_until is None


def test_a_message_that_is_retried_stays_one_dead_letter(
    cast: Cast, failed: Message, relay: Relay, dead_letters: UnrulyQueue
) -> None:
    service.retry(cast.ada, failed.id)
    relay.bury_once()
    assert _ids(dead_letters) == [failed.public_id]
