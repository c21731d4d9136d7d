"""What each end of a step means for its message: the pure tables."""

from dataclasses import replace
from datetime import datetime

import pytest

from app.delivery.courier import Pause, Report, decide, is_ours, settle_look_up
from app.gateways.answers import Answer, ChatMessage, Verdict
from app.messages.models import Step
from app.messages.outcomes import Failed, Later, Sent, Unknown
from tests.delivery.envelopes import CLAIMED, envelope

UNCLEAR = Answer(Verdict.UNCLEAR, 500, reason="Server Error", code="X")


def _later(report: Report) -> Later:
    assert isinstance(report.result, Later)
    return report.result


def test_sent_is_sent() -> None:
    report = decide(envelope(), Answer(Verdict.SENT, 200, message_id="9"))
    assert (report.result, report.verdict, report.pause) == (Sent("9", 200), "clear", None)


@pytest.mark.parametrize("unreachable", [True, False])
def test_a_refusal_fails_with_its_reason(unreachable: bool) -> None:
    report = decide(envelope(), Answer(Verdict.REFUSED, 400, reason="no", code="C", unreachable_fan=unreachable))
    assert (report.result, report.verdict) == (Failed("no", "C", 400), "clear")
    assert report.unreachable_fan is unreachable


@pytest.mark.parametrize(("first_unclear_at", "end"), [(None, Failed), (CLAIMED, Unknown)])
def test_another_body_under_the_key_stops_the_message(
    first_unclear_at: datetime | None, end: type[Failed | Unknown]
) -> None:
    report = decide(envelope(first_unclear_at=first_unclear_at), Answer(Verdict.MISMATCH, 422, reason="other"))
    assert (type(report.result), report.mismatch, report.verdict) == (end, True, "clear")


@pytest.mark.parametrize(
    ("attempts", "least", "most"), [(1, 1.0, 1.25), (2, 2.0, 2.5), (3, 4.0, 5.0), (4, 10.0, 10.0), (5, 10.0, 10.0)]
)
def test_an_unclear_end_is_looked_up_after_the_pause(attempts: int, least: float, most: float) -> None:
    for _ in range(20):
        later = _later(decide(envelope(attempts=attempts), UNCLEAR))
        assert (later.step, later.counted, later.unclear, later.new_key) == (Step.LOOK_UP, True, True, False)
        assert least <= later.delay <= most


@pytest.mark.parametrize("timed_out", [True, False])
def test_an_unclear_end_counts_for_the_breaker(timed_out: bool) -> None:
    report = decide(envelope(), replace(UNCLEAR, timed_out=timed_out))
    assert (report.verdict, report.timed_out, report.pause) == ("unclear", timed_out, None)


def test_an_unclear_probe_uses_no_attempt() -> None:
    later = _later(decide(envelope(attempts=0), UNCLEAR, probe=True))
    assert (later.counted, later.unclear, later.step) == (False, True, Step.LOOK_UP)
    assert later.delay >= 1


def test_a_429_pauses_the_account_and_uses_no_attempt() -> None:
    report = decide(envelope(), Answer(Verdict.RATE_LIMITED, 429, reason="slow down", wait=45))
    later = _later(report)
    assert (later.step, later.delay, later.counted, later.unclear, later.new_key) == (
        Step.SEND,
        45,
        False,
        False,
        False,
    )
    assert report.pause == Pause("The platform asked for a pause: slow down", 45)
    assert report.verdict == "clear"


@pytest.mark.parametrize(("first_unclear_at", "step"), [(None, Step.SEND), (CLAIMED, Step.LOOK_UP)])
@pytest.mark.parametrize("whole_key", [True, False])
def test_a_refused_login_takes_a_new_key_and_looks_first_when_something_may_have_arrived(
    first_unclear_at: datetime | None, step: Step, whole_key: bool
) -> None:
    asked = envelope(first_unclear_at=first_unclear_at)
    report = decide(asked, Answer(Verdict.RECONNECT, 401, reason="sign in"), whole_key=whole_key)
    later = _later(report)
    assert (later.step, later.counted, later.unclear, later.new_key) == (step, False, False, True)
    assert report.pause == Pause("The platform refused the login: sign in", None, whole_key)


def test_a_call_that_still_runs_is_waited_for_under_its_key() -> None:
    later = _later(decide(envelope(), Answer(Verdict.STILL_RUNNING, 409)))
    assert (later.step, later.counted, later.unclear, later.new_key) == (Step.LOOK_UP, False, True, False)
    assert later.delay >= 10


def test_what_never_left_is_simply_tried_again() -> None:
    report = decide(envelope(), Answer(Verdict.UNREACHED))
    later = _later(report)
    assert (later.step, later.counted, later.unclear, later.new_key) == (Step.SEND, False, False, False)
    assert (report.verdict, report.pause) == ("unclear", None)
    assert 2 <= later.delay <= 2.5


def _shown(**changes: object) -> ChatMessage:
    values: dict[str, object] = {
        "id": "9",
        "text": "Hello & <welcome>",
        "price_cents": 0,
        "media": 0,
        "sent_by_us": True,
        "created_at": CLAIMED,
    }
    return ChatMessage(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "ours"),
    [
        ({}, True),
        ({"text": "  Hello &\n<welcome> "}, True),
        ({"text": "Hello &"}, True),
        ({"text": "Hello"}, False),
        ({"sent_by_us": False}, False),
        ({"price_cents": 300}, False),
        ({"media": 1}, False),
    ],
)
def test_a_message_of_the_chat_is_ours_or_not(changes: dict[str, object], ours: bool) -> None:
    assert is_ours(envelope(), _shown(**changes)) is ours


def test_price_and_number_of_media_must_be_the_rows_own() -> None:
    priced = envelope(price_cents=999, media_ids=[1, 2])
    assert is_ours(priced, _shown(price_cents=999, media=2))
    assert not is_ours(priced, _shown(price_cents=999, media=1))


@pytest.mark.parametrize("attempts", [0, 1, 3, 4])
def test_what_was_found_is_sent(attempts: int) -> None:
    newest_first = [_shown(id="12"), _shown(id="11")]
    assert settle_look_up(envelope(attempts=attempts), newest_first) == Sent("11")


@pytest.mark.parametrize("attempts", [0, 1, 2, 3])
def test_what_was_not_found_is_tried_again_at_once(attempts: int) -> None:
    result = settle_look_up(envelope(attempts=attempts), [])
    assert isinstance(result, Later)
    assert (result.step, result.delay, result.unclear, result.new_key) == (Step.SEND, 0, False, False)


def test_what_was_not_found_after_the_last_attempt_failed() -> None:
    result = settle_look_up(envelope(attempts=4), [])
    assert isinstance(result, Failed)
    assert result.code == "NOT_CONFIRMED"
    assert "4 times" in result.reason
