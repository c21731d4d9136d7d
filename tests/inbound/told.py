"""Events as the platform tells them, and what of ours they add up to."""

from typing import Any

from sqlalchemy import select

from app.accounts.models import Account
from app.conversations.models import Conversation
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.inbound import service
from app.inbound.service import Told
from app.messages.models import Message

ACCOUNT = "acct_demo_ada"
CREATOR = 900_000_001


def at(second: int) -> str:
    """That second of the story, as messages write it."""
    return f"2026-11-01T12:{second // 60:02}:{second % 60:02}+00:00"


def message(number: int, fan: int, second: int, by_us: bool = False, **more: Any) -> dict[str, Any]:
    """A message: the fan's, or one of ours."""
    author, receiver = (CREATOR, fan) if by_us else (fan, CREATOR)
    told = {"id": 5_000_000_000_000 + number, "text": f"<p>Line {number}</p>", "price": 0, "createdAt": at(second)}
    told["fromUser"] = {"id": author} if by_us else {"id": author, "name": f"Fan {fan}", "username": f"fan_{fan}"}
    return told | ({"toUser": {"id": receiver}} if by_us else {}) | more


def subscription(fan: int, second: int) -> dict[str, Any]:
    """A notification; its `user_id` is the creator."""
    user = {"id": fan, "name": f"Fan {fan}", "username": f"fan_{fan}"}
    return {"id": "n1", "type": "subscribed", "createdAt": at(second), "user": user, "user_id": str(CREATOR)}


def unlock(number: int, fan: int, second: int) -> dict[str, Any]:
    """A notification that a message was bought."""
    link = f"https://onlyfans.com/my/chats/chat/{fan}?firstId={5_000_000_000_000 + number}"
    return {
        "type": "paided_message",
        "createdAt": at(second),
        "user_id": str(CREATOR),
        "replacePairs": {"{LINK}": link},
    }


def transaction(number: int, fan: int, second: int, amount: float) -> dict[str, Any]:
    """Money, with its naive time and its id as text."""
    when = at(second).replace("T", " ").removesuffix("+00:00")
    net = round(amount * 0.8, 2)
    payer = {"id": str(fan)}
    return {
        "id": f"t{number}",
        "created_at": when,
        "type": "message",
        "amount": amount,
        "net_amount": net,
        "fan": payer,
    }


def tell(event: str, payload: Any, key: str | None = None, account: str = ACCOUNT) -> None:
    """The platform tells, and it is written down."""
    service.accept(Told(event, account, payload, key))


def work_off() -> None:
    """Everything that waits, at once."""
    while service.work_off_batch():
        pass
    db.session.expire_all()


def state(account: Account) -> dict[str, Any]:
    """What the account's people would see, whatever our own ids are."""
    fans = db.session.scalars(select(Fan).where(Fan.account_id == account.id, Fan.platform_id.is_not(None)))
    handles = {fan.id: (fan.platform_id, fan) for fan in fans}
    threads = db.session.scalars(select(Conversation).where(Conversation.fan_id.in_(handles)))
    said = db.session.scalars(select(Message).where(Message.account_id == account.id))
    paid = db.session.scalars(select(Transaction).where(Transaction.account_id == account.id))
    return {
        "fans": {pid: (fan.name, fan.handle, fan.status, fan.last_seen_at, fan.value_cents)
                 for pid, fan in handles.values()},
        "threads": {handles[one.fan_id][0]: (one.last_message, one.last_message_at, one.last_direction,
                                              one.unread_count) for one in threads},
        "messages": {one.platform_message_id or one.public_id: (
            handles[one.fan_id][0], one.direction, one.status, one.text, one.created_at if one.markup else None,
            one.read, one.deleted_at is not None, one.unlocked_at) for one in said},
        "paid": {one.platform_id: (handles[one.fan_id or 0][0], one.gross_cents, one.net_cents, one.received_at)
                 for one in paid},
    }  # fmt: skip
