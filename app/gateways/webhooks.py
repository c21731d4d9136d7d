"""Where the platform tells a key's team what happens: registered, changed and looked at through its SDK."""

from dataclasses import dataclass

from app.gateways.platform import OnlyFansPlatform

PATH = "/api/onlyfans/webhooks"
EVENTS = (
    "messages.received",
    "messages.sent",
    "messages.deleted",
    "messages.ppv.unlocked",
    "subscriptions.new",
    "subscriptions.renewed",
    "subscriptions.expired",
    "tips.received",
    "transactions.new",
    "accounts.connected",
    "accounts.reconnected",
    "accounts.disconnected",
    "accounts.session_expired",
    "accounts.authentication_failed",
    "accounts.otp_code_required",
    "accounts.face_otp_required",
    "users.typing",
    "users.online",
    "users.offline",
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the platform is to tell us what happens, and what it signs that with."""

    url: str
    secret: str | None

    @classmethod
    def below(cls, public_url: str, secret: str | None) -> "Address":
        """Of a deployment that answers at `public_url`."""
        return cls(public_url.rstrip("/") + PATH, secret)


@dataclass(frozen=True, slots=True)
class Registered:
    """A webhook as the platform has it."""

    id: str
    url: str
    events: frozenset[str]
    signed: bool
    enabled: bool

    @property
    def missing(self) -> list[str]:
        """The events that it doesn't tell us."""
        return [event for event in EVENTS if event not in self.events]


def registered(platform: OnlyFansPlatform, api_key: str, url: str) -> Registered | None:
    """The team's webhook for that address; raises CallFailed."""
    with platform.outside_call():
        body = platform.client_for(api_key).webhooks.with_raw_response.list().http_response.json()
        listed = body["data"] if isinstance(body, dict) else body
        return next((_read(item) for item in listed if str(item["endpoint_url"]).rstrip("/") == url), None)


def ensure(platform: OnlyFansPlatform, api_key: str, address: Address) -> None:
    """Have it registered unless it is, as it should be; raises CallFailed."""
    found = registered(platform, api_key, address.url)
    if found is None or found.missing or not found.enabled or found.signed != (address.secret is not None):
        register(platform, api_key, address.url, address.secret)


def register(platform: OnlyFansPlatform, api_key: str, url: str, secret: str | None) -> None:
    """Have everything that we understand told to that address, signed with the secret; raises CallFailed."""
    known = registered(platform, api_key, url)
    with platform.outside_call():
        webhooks = platform.client_for(api_key).webhooks
        if known is None:
            webhooks.create(account_scope="global", endpoint_url=url, events=list(EVENTS), signing_secret=secret)
            return
        # The SDK knows no secret when a webhook is changed; the platform takes it.
        more = {"signing_secret": secret, "enabled": True} if secret else {"enabled": True}
        webhooks.update(
            known.id, account_scope="global", endpoint_url=url, events=list(EVENTS), account_ids=[], extra_body=more
        )


def _read(item: dict[str, object]) -> Registered:
    events = item["events"]
    return Registered(
        id=str(item["id"]),
        url=str(item["endpoint_url"]),
        events=frozenset(map(str, events)) if isinstance(events, list) else frozenset(),
        signed=bool(item.get("has_signing_secret")),
        enabled=item.get("enabled") is not False,
    )
