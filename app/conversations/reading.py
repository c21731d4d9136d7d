"""What was read here and is to be marked as read on the platform, some seconds later, by a worker."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.accounts.models import Account
from app.conversations.models import Conversation
from app.db import database_now, transaction
from app.extensions import db
from app.fans.models import Fan

AT_ONCE = 20
AGAIN_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ReadMark:
    """A chat to be marked as read; `due_at` is when it comes up again unless it is `told` before."""

    conversation_id: int
    due_at: datetime
    platform_account: str
    api_key_encrypted: str | None
    chat: str


def claim() -> list[ReadMark]:
    """Some that are due, each put off so that nobody else takes it; none of accounts that must be connected again."""
    with transaction():
        now = database_now()
        due = (
            select(Conversation.id)
            .join(Fan, Fan.id == Conversation.fan_id)
            .join(Account, Account.id == Conversation.account_id)
            .where(Conversation.read_due_at <= now, Conversation.unread_count == 0)
            .where(Fan.platform_id.is_not(None), Account.reconnect_since.is_(None))
            .order_by(Conversation.read_due_at)
            .limit(AT_ONCE)
        )
        claimed = list(
            db.session.scalars(
                update(Conversation)
                .where(Conversation.id.in_(due), Conversation.read_due_at <= now)
                .values(read_due_at=now + AGAIN_AFTER)
                .returning(Conversation.id),
                execution_options={"synchronize_session": False},
            )
        )
        return _marks(claimed, now + AGAIN_AFTER)


def _marks(claimed: list[int], due_at: datetime) -> list[ReadMark]:
    query = (
        select(Conversation.id, Account.platform_id, Account.api_key_encrypted, Fan.platform_id)
        .join(Fan, Fan.id == Conversation.fan_id)
        .join(Account, Account.id == Conversation.account_id)
        .where(Conversation.id.in_(claimed))
        .order_by(Conversation.id)
    )
    rows = db.session.execute(query) if claimed else ()
    return [ReadMark(found, due_at, account, key, chat) for found, account, key, chat in rows if chat is not None]


def told(mark: ReadMark) -> None:
    """The platform knows, or never will; when the conversation was read again meanwhile, it is told again."""
    with transaction():
        db.session.execute(
            update(Conversation)
            .where(Conversation.id == mark.conversation_id, Conversation.read_due_at == mark.due_at)
            .values(read_due_at=None),
            execution_options={"synchronize_session": False},
        )
