"""The lists of what failed and what nobody knows about: whose they are, why, page by page, and again in one go."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEvent
from app.clock import now
from app.conversations.models import Conversation
from app.db import database_now
from app.extensions import db
from app.messages import failed, service
from app.messages.failed import Wanted
from app.messages.models import Message, Status
from app.messages.reasons import REASONS, Kind
from tests.support.cast import Cast


def fail(conversation: Conversation, hours_ago: float = 1, error: str | None = "Refused", **more: object) -> Message:
    """A message that failed then, for that reason."""
    known = {"direction": "out", "status": Status.FAILED, "text": "Hi", "attempts": 1, "error": error}
    whose = {name: getattr(conversation, name) for name in ("account_id", "fan_id")}
    message = Message(public_id=service.new_public_id(), conversation_id=conversation.id, **(known | whose | more))
    message.failed_at = now() - timedelta(hours=hours_ago) if message.status == Status.FAILED else None
    db.session.add(message)
    db.session.commit()
    return message


def _ids(page: failed.Page) -> list[int]:
    return [row.Message.id for row in page.rows]


def test_everybody_sees_what_is_theirs_of_seven_days(cast: Cast) -> None:
    mine, hers = fail(cast.conversations[0]), fail(cast.eves_conversation)
    fail(cast.conversations[0], hours_ago=24 * 7 + 1)
    lost = fail(cast.conversations[1], status=Status.UNKNOWN)
    for viewer, ids in ((cast.ada, [mine.id]), (cast.max, [mine.id]), (cast.eve, [hers.id]), (cast.olga, [])):
        assert _ids(failed.page(viewer, Wanted(), None, 50)) == ids
        assert failed.count(viewer, Wanted()) == len(ids)
        assert failed.retry(viewer, Wanted(account_id=cast.beas_account.id)).message_ids == []
    assert _ids(failed.page(cast.max, Wanted(unknown=True), None, 50)) == [lost.id]
    assert failed.one(cast.ada, lost.id, unknown=True) is not None
    assert failed.one(cast.eve, lost.id, unknown=True) is None
    assert failed.one(cast.ada, mine.id, unknown=True) is None


def test_pages_follow_each_other_without_gap_or_overlap(cast: Cast, any_database: str) -> None:
    for hours in (3, 1, 1, 2, 5):
        fail(cast.conversations[0], hours_ago=hours)
    seen: list[int] = []
    after = None
    for _ in range(3):
        page = failed.page(cast.ada, Wanted(), after, 2)
        seen += _ids(page)
        after = page.following
    assert after is None
    assert seen == [*sorted(seen, key=seen.index)]
    assert sorted(seen) == list(db.session.scalars(select(Message.id).order_by(Message.id)))
    told = [row.at for row in failed.page(cast.ada, Wanted(), None, 50).rows]
    assert told == sorted(told, reverse=True)


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        ("Cannot send message to this user", "ONLYFANS_COM_ERROR", Kind.UNREACHABLE),
        ("The platform could not take the media: 404", "MEDIA_REFUSED", Kind.MEDIA),
        ("The word X is not allowed", "VALIDATION_ERROR", Kind.WORDING),
        ("The price must be 3 at least", "VALIDATION_ERROR", Kind.PRICE),
        ("Chat not found.", "NOT_FOUND", Kind.GONE),
        ("The platform answered 403", None, Kind.FORBIDDEN),
        ("The platform failed 4 times; the message did not arrive", "NOT_CONFIRMED", Kind.UNCONFIRMED),
        ("Its chat was looked through: it did not arrive", "NOT_IN_CHAT", Kind.ABSENT),
        ("Five workers ended while they worked on this message", "POISON", Kind.OURS),
        ("The given data was invalid.", "VALIDATION_ERROR", Kind.REFUSED),
        (None, None, Kind.REFUSED),
    ],
)
def test_a_refusal_is_told_in_plain_words(cast: Cast, error: str | None, code: str | None, kind: Kind) -> None:
    message = fail(cast.conversations[0], error=error, error_code=code)
    found = failed.one(cast.ada, message.id, unknown=False)
    assert found is not None
    assert found.kind == kind
    assert REASONS[kind].title
    assert REASONS[kind].advice
    assert failed.kinds(cast.ada, Wanted(kind=Kind.PRICE)) == {kind: 1}
    assert failed.count(cast.ada, Wanted(kind=kind)) == 1


def test_filters_narrow_it(cast: Cast) -> None:
    old, new = fail(cast.conversations[0], hours_ago=30), fail(cast.conversations[0], error="Not found")
    assert _ids(failed.page(cast.ada, Wanted(hours=24), None, 9)) == [new.id]
    assert _ids(failed.page(cast.ada, Wanted(kind=Kind.REFUSED), None, 9)) == [old.id]
    assert failed.count(cast.ada, Wanted(account_id=cast.eves_account.id)) == 0
    assert failed.count(cast.ada, Wanted(campaign_id=7)) == 0
    assert failed.campaign_ids(cast.ada, Wanted()) == []


def test_all_are_queued_again_but_those_who_cant_be_reached(cast: Cast, any_database: str) -> None:
    plain, unreachable = fail(cast.conversations[0]), fail(cast.conversations[1])
    nameless, hers = fail(cast.conversations[3]), fail(cast.eves_conversation)
    cast.fans[1].unreachable_at = database_now()
    db.session.commit()
    named = failed.retry(cast.ada, Wanted(), [nameless.id, hers.id, 10**9])
    assert (named.message_ids, named.left_out) == ([], 1)
    done = failed.retry(cast.ada, Wanted())
    assert (len(done.message_ids), done.left_out) == (1, 2)
    new = db.session.get_one(Message, done.message_ids[0])
    assert (new.retry_of_id, new.status, new.priority, new.author_id) == (plain.id, "queued", 0, cast.ada.id)
    assert _ids(failed.page(cast.ada, Wanted(), None, 9)) == sorted([unreachable.id, nameless.id], reverse=True)
    assert failed.retry(cast.ada, Wanted()).message_ids == []
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "messages.retried")).all()
    assert [event.details for event in events] == [{"messages": 1}]
    assert db.session.scalar(select(func.count(Message.id)).where(Message.retry_of_id == hers.id)) == 0
