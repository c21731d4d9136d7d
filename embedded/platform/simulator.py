"""The simulated platform as a whole: what it knows, what it remembers of its callers, and what it was told to break."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from embedded.platform import clock
from embedded.platform.faults import Faults
from embedded.platform.idempotency import Idempotency, Kept
from embedded.platform.journal import Entry, Journal
from embedded.platform.meter import Meter
from embedded.platform.post import Post, Webhook
from embedded.platform.settings import Settings
from embedded.platform.state import Account, Chat, Medium, Message, State, Transaction
from embedded.platform.store import Memory, Store


@dataclass(slots=True)
class Key:
    """An API key: its team and the accounts that it may touch (None: all)."""

    key: str
    team: str = "team"
    accounts: list[str] | None = None

    def may_touch(self, account_id: str) -> bool:
        """Tell whether the key is good for the account."""
        return self.accounts is None or account_id in self.accounts


@dataclass(slots=True)
class Call:
    """One call under /api, read: `params` from the path, `payload` from the body (None: no JSON object)."""

    kind: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    url: str
    api_key: str
    at: float
    payload: dict[str, object] | None = None
    idempotency_key: str | None = None
    key: Key | None = None
    entry: Entry | None = None

    @property
    def account(self) -> str:
        """Return the account's id in the path, or the empty string."""
        return self.params.get("account", "")

    @property
    def chat(self) -> str:
        """Return the chat's id in the path, or the empty string."""
        return self.params.get("chat", "")


STORED: Mapping[str, type] = {
    "api_key": Key,
    "account": Account,
    "chat": Chat,
    "message": Message,
    "medium": Medium,
    "transaction": Transaction,
    "key": Kept,
    "journal": Entry,
    "webhook": Webhook,
}


@dataclass
class Simulator:
    """All parts together; one per process."""

    store: Store | Memory
    api_keys: list[str]
    settings: Settings = field(default_factory=Settings)
    faults: Faults = field(default_factory=Faults)
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self.state = State(self.store.keep)
        self.journal = Journal(self.store.keep)
        self.idempotency = Idempotency(self.store.keep)
        self.post = Post(self.store.keep, lambda: (self.settings.doubled_webhooks, self.settings.late_webhooks))
        self.endpoint: Webhook | None = None
        self.keys: dict[str, Key] = {}
        self._start_over()
        self._load()

    def _start_over(self) -> None:
        self.keys = {key: Key(key) for key in self.api_keys}
        self.started_at = clock.now()

    def _load(self) -> None:
        put: Mapping[str, Callable[..., object]] = {
            "api_key": self.put_key,
            "account": self.state.put_account,
            "chat": self.state.put_chat,
            "message": self.state.put_message,
            "medium": self.state.put_medium,
            "transaction": self.state.put_transaction,
            "key": self.idempotency.load,
            "journal": self.journal.load,
            "webhook": self.post.put,
        }
        for kind, make in STORED.items():
            for record in sorted(self.store.records(kind), key=_order):
                put[kind](make(**record))
        self.store.begin()

    def put_key(self, key: Key) -> None:
        """Let an API key in."""
        self.keys[key.key] = key
        self.store.keep("api_key", key.key, key)

    def tell_all_to(self, endpoint: Webhook) -> None:
        """Keep telling everything to that address, as the command line says; it isn't stored."""
        self.endpoint = self.post.webhooks[endpoint.id] = endpoint

    def reset(self) -> None:
        """Forget everything, stored things too, but what the command line says: keys, the webhook, the fans' pace."""
        for part in (self.state, self.journal, self.idempotency, self.faults, self.meter, self.post):
            part.clear()
        self.settings = Settings(fans_every=self.settings.fans_every)
        if self.endpoint is not None:
            self.tell_all_to(self.endpoint)
        self.store.clear()
        self._start_over()

    def simulated(self) -> dict[str, object]:
        """Return what is simulated now, as JSON."""
        return {"faults": self.faults.listed(), "settings": asdict(self.settings)}


def _order(record: Mapping[str, Any]) -> float:
    """Return what puts records of a kind in the order in which they came."""
    return float(record.get("seq") or record.get("at") or 0.0)
