"""The platform's JSON shapes: dollars as numbers, ids as ints, times in ISO 8601, text as HTML."""

import html
import json

from embedded.platform import clock
from embedded.platform.answers import Body
from embedded.platform.idempotency import Kept
from embedded.platform.journal import Entry
from embedded.platform.state import Account, Chat, Medium, Message, State, Transaction

_JSON = json.JSONEncoder(separators=(",", ":"))

Shape = dict[str, object]


def as_html(text: str) -> str:
    """Return plain text as the platform gives it back: escaped, line breaks as `<br>`, in one paragraph."""
    return f"<p>{html.escape(text).replace(chr(10), '<br>')}</p>" if text else ""


def number(dollars: float) -> float | int:
    """Return an amount as the platform writes it: whole dollars without a fraction."""
    return int(dollars) if dollars == int(dollars) else dollars


def message(found: Message, account: Account, chat: Chat) -> Shape:
    """Return a message as sending answers it: without `isSentByMe`."""
    written = clock.iso(found.at)
    author = account.creator_id if found.sent_by_me else chat.fan_id
    return {
        "responseType": "message",
        "id": found.id,
        "text": found.text,
        "fromUser": {"id": author, "_view": "s"},
        "price": number(found.price),
        "isFree": found.price == 0,
        "mediaCount": len(found.media),
        "media": [{"id": media_id, "type": "photo", "canView": True} for media_id in found.media],
        "previews": list(found.previews),
        "lockedText": found.locked_text,
        "queueId": found.id // 1000,
        "isFromQueue": False,
        "isMediaReady": True,
        "isOpened": not found.is_new,
        "isNew": found.is_new,
        "isTip": False,
        "isLiked": False,
        "isPinned": False,
        "isReportedByMe": False,
        "isCouplePeopleMedia": False,
        "isMarkdownDisabled": True,
        "giphyId": None,
        "releaseForms": [],
        "cancelSeconds": 86400,
        "canPurchase": False,
        "canPurchaseReason": "opened",
        "canReport": not found.sent_by_me,
        "canBePinned": True,
        "createdAt": written,
        "changedAt": written,
    }


def listed_message(found: Message, account: Account, chat: Chat) -> Shape:
    """Return a message as listing answers it."""
    return {**message(found, account, chat), "isSentByMe": found.sent_by_me}


def fan(chat: Chat) -> Shape:
    """Return a fan in full."""
    return {
        "view": "m",
        "id": chat.fan_id,
        "name": chat.name,
        "displayName": "",
        "username": chat.username,
        "avatar": None,
        "lastSeen": None if chat.last_seen is None else clock.iso(chat.last_seen),
        "canReceiveChatMessage": chat.can_send,
        "isBlocked": False,
        "isRestricted": False,
        "isPerformer": False,
        "subscribedOn": chat.is_subscribed,
        "subscribedOnExpiredNow": not chat.is_subscribed,
        "subscribedOnData": {
            "status": None if chat.is_subscribed else "Expired",
            "subscribeAt": clock.iso(chat.created_at),
            "duration": f"{chat.months} months",
            "totalSumm": number(chat.total_spent),
            "tipsSumm": number(chat.tips),
            "messagesSumm": number(round(chat.total_spent - chat.tips, 2)),
            "subscribesSumm": 0,
            "postsSumm": 0,
            "streamsSumm": 0,
        },
        "listsStates": [],
    }


def chat(found: Chat, state: State, with_user: bool) -> Shape:
    """Return a chat as the list of chats shows it."""
    thread = state.thread(found.account, found.id)
    account = state.account(found.account)
    read = [message.id for message in thread[: len(thread) - found.unread]]
    return {
        "fan": fan(found) if with_user else {"id": found.fan_id, "_view": "s"},
        "lastMessage": listed_message(thread[-1], account, found) if thread else None,
        "unreadMessagesCount": found.unread,
        "lastReadMessageId": read[-1] if read else None,
        "hasUnreadTips": False,
        "isMutedNotifications": False,
        "canSendMessage": found.can_send,
        "canNotSendReason": False if found.can_send else "muted",
    }


def account(found: Account) -> Shape:
    """Return an account as the list of accounts shows it, with the secrets that the real one carries, invented."""
    return {
        "id": found.id,
        "onlyfans_id": found.creator_id,
        "onlyfans_username": found.id.removeprefix("acct_"),
        "onlyfans_email": f"{found.id.removeprefix('acct_')}@example.com",
        "display_name": found.display_name,
        "is_authenticated": found.is_authenticated,
        "authentication_progress": None if found.is_authenticated else "needs_reauthentication",
        "onlyfans_user_data": {
            "id": found.creator_id,
            "name": found.display_name,
            "csrf": "secret-csrf",
            "wsAuthToken": "secret-socket-token",
            "ip": "192.0.2.7",
        },
    }


def me(found: Account, subscribers: int) -> Shape:
    """Return the creator's own user."""
    return {
        "id": found.creator_id,
        "name": found.display_name,
        "username": found.id.removeprefix("acct_"),
        "isAuth": found.is_authenticated,
        "subscribersCount": subscribers,
    }


def vault_medium(found: Medium) -> Shape:
    """Return an upload into the vault."""
    return {
        "id": found.id,
        "type": "photo",
        "isReady": True,
        "hasError": False,
        "canView": True,
        "createdAt": clock.iso(found.at),
        "files": {"full": {"url": None, "width": 0, "height": 0, "size": 0, "sources": []}},
    }


def single_use_medium(found: Medium) -> Shape:
    """Return an upload for one message."""
    return {
        "prefixed_id": found.prefixed_id,
        "file_name": found.source.rsplit("/", 1)[-1] or "file",
        "processId": f"p{found.id:x}",
        "host": "simulated",
        "sourceUrl": found.source,
        "note": "The prefixed_id can be used only once.",
    }


def transaction(found: Transaction, chat: Chat) -> Shape:
    """Return money received: a fifth is the platform's fee."""
    fee = round(found.amount * 0.2, 2)
    return {
        "id": found.id,
        "amount": number(found.amount),
        "net": number(round(found.amount - fee, 2)),
        "fee": number(fee),
        "vatAmount": 0,
        "taxAmount": 0,
        "currency": "USD",
        "status": "done",
        "type": found.type,
        "description": f'Payment from <a href="https://onlyfans.com/{chat.username}">{html.escape(chat.name)}</a>',
        "createdAt": clock.iso(found.at),
        "payoutPendingDays": 7,
        "user": {"id": chat.fan_id, "name": chat.name, "username": chat.username},
    }


def delivery(entry: Entry) -> Shape:
    """Return a delivered message as the oracle lists it."""
    return {
        "account": entry.account,
        "chat": entry.chat,
        "text": entry.text,
        "price": entry.price,
        "key": entry.key,
        "id": entry.message_id,
        "at": entry.delivered_at,
        "seq": entry.seq,
    }


def kept_body(kept: Kept, state: State) -> Body:
    """Return the body of a first answer once more."""
    found = state.messages.get(kept.account, {}).get(kept.message_id or 0)
    if found is None:
        return kept.body
    chat_of_it = state.chat(kept.account, found.chat)
    return {"data": message(found, state.account(kept.account), chat_of_it), "_pagination": {"next_page": None}}


def to_bytes(body: object) -> bytes:
    """Return a body as it goes over the wire: JSON, or the text as it is."""
    return body.encode() if isinstance(body, str) else _JSON.encode(body).encode()
