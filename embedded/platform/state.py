"""What the platform knows: accounts, their fans' chats, the messages in them, media and money; all in memory."""

import re
import zlib
from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from embedded.platform import clock

MESSAGES_KEPT_PER_CHAT = 10_000
_BY_ID = attrgetter("id")

Keep = Callable[[str, int | str, object | None], None]


CHAT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_account_id(text: str) -> bool:
    """Tell whether the text may be an account's id."""
    return text.startswith("acct_")


def is_chat_id(text: str) -> bool:
    """Tell whether the text may be a fan's id, which is the chat's."""
    return CHAT_ID.fullmatch(text) is not None


@dataclass(slots=True)
class Account:
    """A creator's account at the platform; `absent` ones answer 404."""

    id: str
    display_name: str
    is_authenticated: bool = True
    absent: bool = False

    @property
    def creator_id(self) -> int:
        """Return the creator's user id: nine digits, always the same for the same account."""
        return _nine_digits(self.id)


@dataclass(slots=True)
class Chat:
    """An account's thread with one fan, and what is known of that fan; money in dollars."""

    account: str
    id: str
    name: str
    username: str
    created_at: float
    is_subscribed: bool = True
    can_send: bool = True
    unread: int = 0
    last_seen: float | None = None
    is_online: bool = False
    total_spent: float = 0.0
    tips: float = 0.0
    months: int = 0
    is_hidden: bool = False

    @property
    def fan_id(self) -> int | str:
        """Return the fan's id as messages carry it: an int wherever it is a number."""
        return int(self.id) if self.id.isdecimal() else self.id


@dataclass(slots=True)
class Message:
    """One message in a chat; `text` is HTML, `price` dollars."""

    id: int
    account: str
    chat: str
    text: str
    at: float
    sent_by_me: bool
    price: float = 0
    media: Sequence[int | str] = ()
    previews: Sequence[int | str] = ()
    locked_text: bool = False
    is_new: bool = True
    deleted: bool = False


@dataclass(slots=True)
class Medium:
    """An uploaded file: in the vault (reusable), or else for one message only."""

    id: int
    account: str
    source: str
    at: float
    in_vault: bool
    used: bool = False

    @property
    def prefixed_id(self) -> str:
        """Return the name of a single-use upload."""
        return f"ofapi_media_{self.id:x}"


@dataclass(slots=True)
class Transaction:
    """Money received from a fan; `amount` is gross dollars."""

    id: str
    account: str
    chat: str
    type: str
    amount: float
    at: float


class State:
    """Everything the platform knows, indexed by account; what changes is handed to `keep`, as None what ends."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.accounts: dict[str, Account] = {}
        self.chats: dict[str, dict[str, Chat]] = {}
        self.messages: dict[str, dict[int, Message]] = {}
        self.media: dict[str, dict[int | str, Medium]] = {}
        self.transactions: dict[str, list[Transaction]] = {}
        self._threads: dict[tuple[str, str], list[Message]] = {}
        self._last_id = 0
        self._last_medium_id = 3_000_000_000

    def account(self, account_id: str) -> Account:
        """Return the account; any id exists from its first touch on."""
        account = self.accounts.get(account_id)
        if account is None:
            account = self.put_account(Account(account_id, display_name=account_id.removeprefix("acct_")))
        return account

    def put_account(self, account: Account) -> Account:
        """Add or replace an account."""
        self.accounts[account.id] = account
        self._keep("account", account.id, account)
        return account

    def chat(self, account_id: str, chat_id: str) -> Chat:
        """Return the chat; any fan has one from its first touch on."""
        chat = self.chats.get(account_id, {}).get(chat_id)
        if chat is None:
            at = clock.now()
            chat = Chat(account_id, chat_id, f"Fan {chat_id}", f"u{chat_id}", created_at=at, last_seen=at)
            self.put_chat(chat)
        return chat

    def put_chat(self, chat: Chat) -> None:
        """Add a chat, or keep what was changed in it."""
        self.chats.setdefault(chat.account, {})[chat.id] = chat
        self._keep("chat", f"{chat.account}/{chat.id}", chat)

    def thread(self, account_id: str, chat_id: str) -> list[Message]:
        """Return a chat's messages, oldest first."""
        return self._threads.get((account_id, chat_id), [])

    def next_message_id(self, at: float) -> int:
        """Return a new id, 16 digits: microseconds, so that ids rise with time and never repeat."""
        self._last_id = max(self._last_id + 1, int(at * 1_000_000))
        return self._last_id

    def message_id_at(self, account_id: str, at: float) -> int:
        """Return a free id for a message of the past, so that it stands where its time puts it."""
        message_id, taken = int(at * 1_000_000), self.messages.get(account_id, {})
        while message_id in taken:
            message_id += 1
        return message_id

    def next_medium_id(self) -> int:
        """Return a new id for an upload, ten digits."""
        self._last_medium_id += 1
        return self._last_medium_id

    def put_message(self, message: Message) -> Message:
        """Add a message to its chat where its id puts it, or keep what was changed in it."""
        known = self.messages.setdefault(message.account, {})
        if message.id not in known and not message.deleted:
            thread = self._threads.setdefault((message.account, message.chat), [])
            insort(thread, message, key=_BY_ID)
            if len(thread) > MESSAGES_KEPT_PER_CHAT:
                self._forget(thread.pop(0))
        known[message.id] = message
        self._last_id = max(self._last_id, message.id)
        self._keep("message", f"{message.account}/{message.id}", message)
        return message

    def _forget(self, oldest: Message) -> None:
        del self.messages[oldest.account][oldest.id]
        self._keep("message", f"{oldest.account}/{oldest.id}", None)

    def delete_message(self, message: Message) -> None:
        """Take a message out of its chat; a stored answer may still repeat it."""
        message.deleted = True
        self._threads[(message.account, message.chat)].remove(message)
        self.put_message(message)

    def put_medium(self, medium: Medium) -> Medium:
        """Add an upload, or keep what was changed in it."""
        name = medium.id if medium.in_vault else medium.prefixed_id
        self.media.setdefault(medium.account, {})[name] = medium
        self._last_medium_id = max(self._last_medium_id, medium.id)
        self._keep("medium", medium.id, medium)
        return medium

    def put_transaction(self, transaction: Transaction) -> None:
        """Add money received."""
        insort(self.transactions.setdefault(transaction.account, []), transaction, key=attrgetter("at"))
        self._keep("transaction", transaction.id, transaction)


def _nine_digits(text: str) -> int:
    return 100_000_000 + zlib.crc32(text.encode()) % 900_000_000
