"""What was said in chats on the platform, many messages at once: new rows, or found to be ones that we sent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from app.conversations import service as conversations
from app.extensions import db
from app.inbound import people
from app.inbound.adapter import Said
from app.inbound.models import MessageMark
from app.messages import arrivals
from app.messages.arrivals import Arrival
from app.messages.models import Message


def arriving(account_id: int, said: Sequence[Said]) -> list[Arrival]:
    """Messages with the conversations that they belong to; fans and conversations are made if need be."""
    fans = people.known_all(account_id, [one.fan for one in said])
    _note_seen(fans, said)
    threads = conversations.open_all(account_id, fans.values())
    return [
        Arrival(
            platform_id=one.platform_id,
            account_id=account_id,
            conversation_id=threads[fans[one.fan.platform_id]],
            fan_id=fans[one.fan.platform_id],
            by_us=one.by_us,
            text=one.text,
            markup=one.markup,
            price_cents=one.price_cents,
            media=one.media,
            at=one.at,
        )
        for one in said
    ]


def _note_seen(fans: dict[str, int], said: Sequence[Said]) -> None:
    seen: dict[int, datetime] = {}
    for one in said:
        if not one.by_us:
            fan_id = fans[one.fan.platform_id]
            seen[fan_id] = max(one.at, seen.get(fan_id, one.at))
    people.seen_all(seen)


def write_down(account_id: int, found: Sequence[Arrival]) -> set[str]:
    """Have a row for each, and conversations that tell of them; the platform ids of those that must wait.

    A message of ours waits while a call to its fan is under way: only its answer says which row is whose.
    """
    have = arrivals.known(account_id, [one.platform_id for one in found])
    unsettled = arrivals.unsettled({one.fan_id for one in found if one.by_us and one.platform_id not in have})
    missing, waiting = list[Arrival](), set[str]()
    for one in found:
        if one.platform_id in have:
            continue
        if one.fan_id not in unsettled or not one.by_us:
            missing.append(one)
        elif arrivals.settle_echo(one):
            have.add(one.platform_id)
        elif arrivals.call_under_way(one.fan_id):
            waiting.add(one.platform_id)
        else:
            missing.append(one)
    arrivals.add(missing)
    apply_marks(account_id, [one.platform_id for one in found])
    arrivals.refresh([one.conversation_id for one in found])
    return waiting


def apply_marks(account_id: int, platform_ids: Sequence[str]) -> None:
    """What was said of messages before their rows were here holds for the rows."""
    # As columns: marks that another statement wrote must not be answered from the session's memory.
    query = select(MessageMark.platform_message_id, MessageMark.deleted_at, MessageMark.unlocked_at)
    query = query.where(MessageMark.account_id == account_id, MessageMark.platform_message_id.in_(platform_ids))
    for mark in db.session.execute(query).all():
        gone = {"read": True} if mark.deleted_at else {}
        db.session.execute(
            update(Message)
            .where(Message.account_id == account_id, Message.platform_message_id == mark.platform_message_id)
            .values(deleted_at=mark.deleted_at, unlocked_at=mark.unlocked_at, **gone),
            execution_options={"synchronize_session": False},
        )
