"""The demo's message rows: all of them final, but for the one that is scheduled for tomorrow."""

from collections.abc import Callable
from datetime import datetime, timedelta

from app.cli.demo_talk import Line
from app.conversations.models import Conversation
from app.messages.models import Message, Status
from app.messages.service import new_public_id

PICTURE = "https://cdn.example.com/demo/{number}.jpg"
PLATFORM_TOOK = timedelta(seconds=2)


def message(conversation: Conversation, line: Line, at: datetime, author_id: int, read: bool = True) -> Message:
    """A line that was received, or written by the author and sent two seconds later."""
    row = _row(conversation, line, at)
    row.read = read
    if line.mine:
        row.author_id = author_id
        row.status = Status.SENT
        row.queued_at = row.published_at = row.received_at = at
        row.attempts = 1
        row.sent_at = at + PLATFORM_TOOK
    return row


def failed(conversation: Conversation, at: datetime, author_id: int) -> Message:
    """A message that the platform refused; its dead letter is written already."""
    row = message(conversation, Line(mine=True, text="We miss you! The door is always open 🌷"), at, author_id)
    refuse(row)
    return row


def refuse(row: Message) -> None:
    """Have the platform refuse a message of ours."""
    row.status, row.sent_at = Status.FAILED, None
    row.failed_at = row.dead_lettered_at = row.created_at + PLATFORM_TOOK
    row.error = "This fan can't be written to: their subscription has ended."
    row.error_code = "ONLYFANS_COM_ERROR"


def unknown(conversation: Conversation, at: datetime, author_id: int) -> Message:
    """A message of which nobody can tell whether it arrived."""
    row = message(conversation, Line(mine=True, text="The new map is pinned to the wall, come and see!"), at, author_id)
    row.status, row.sent_at = Status.UNKNOWN, None
    row.first_unclear_at = at + PLATFORM_TOOK
    row.error = "The connection broke while it was sent, and its chat could not be read afterwards."
    return row


def scheduled(conversation: Conversation, at: datetime, author_id: int) -> Message:
    """A message that goes out about a day later."""
    row = _row(conversation, Line(mine=True, text="Good morning! The sunrise class begins in an hour ☀️"), at)
    row.author_id = author_id
    row.status = Status.SCHEDULED
    row.due_at = at + timedelta(hours=22)
    return row


SPECIAL: dict[str, Callable[[Conversation, datetime, int], Message]] = {
    "sylvestermoon": failed,
    "rufus_copper": unknown,
    "goldiehayes": scheduled,
}


def _row(conversation: Conversation, line: Line, at: datetime) -> Message:
    return Message(
        public_id=new_public_id(),
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        fan_id=conversation.fan_id,
        direction="out" if line.mine else "in",
        status=Status.RECEIVED,
        text=line.text,
        price_cents=line.price_cents,
        attachments=[{"type": "image", "url": PICTURE.format(number=n)} for n in range(1, line.pictures + 1)],
        # Said for all of them, so that they go into the database together.
        attempts=0,
        created_at=at,
        due_at=at,
    )
