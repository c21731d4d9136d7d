"""What the platform tells of an event: the payloads of its webhooks, in their own, uneven shapes."""

from datetime import UTC, datetime

from embedded.platform import clock, shapes
from embedded.platform.simulator import Simulator
from embedded.platform.state import Chat, Message, Transaction

KINDS = {"tips": "tip", "chat_messages": "message", "subscribes": "subscription"}
Shape = dict[str, object]


def message(sim: Simulator, found: Message) -> None:
    """A message is in its chat, the fan's or the creator's."""
    account, chat = sim.state.account(found.account), sim.state.chat(found.account, found.chat)
    payload = shapes.message(found, account, chat)
    if found.sent_by_me:
        payload["toUser"] = _user(chat)
    else:
        payload["fromUser"] = _user(chat)
    sim.post.tell(found.account, "messages.sent" if found.sent_by_me else "messages.received", payload)


def deleted(sim: Simulator, found: Message) -> None:
    """A message is in its chat no more."""
    sim.post.tell(found.account, "messages.deleted", {"id": found.id})


def unlocked(sim: Simulator, found: Message) -> None:
    """A fan bought a message: its id stands only in a link, and who bought it only there as well."""
    link = f'<a href="https://onlyfans.com/my/chats/chat/{found.chat}?firstId={found.id}">your message</a>'
    amount = f"${found.price:.2f}"
    payload = _notification(sim, found.account, "paided_message", "") | {
        "replacePairs": {"{MESSAGE_LINK}": link, "{AMOUNT}": amount}
    }
    sim.post.tell(found.account, "messages.ppv.unlocked", payload)


def subscription(sim: Simulator, chat: Chat, event: str) -> None:
    """A fan subscribed or left: `event` is subscriptions.new, .renewed or .expired."""
    kind = "new_subscriber" if event == "subscriptions.new" else "returning_subscriber"
    payload = _notification(sim, chat.account, "subscribed", kind) | {"user": _user(chat)}
    sim.post.tell(chat.account, event, payload)


def paid(sim: Simulator, found: Transaction) -> None:
    """Money came in, with a naive time and the fan's id as text; a tip is told of once more on its own."""
    chat = sim.state.chat(found.account, found.chat)
    net = round(found.amount * 0.8, 2)
    payload: Shape = {
        "id": found.id,
        "created_at": datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "type": KINDS.get(found.type, found.type),
        "amount": shapes.number(found.amount),
        "net_amount": shapes.number(net),
        "fee_amount": shapes.number(round(found.amount - net, 2)),
        "vat_amount": 0,
        "status": "loading",
        "fan": {**_user(chat), "id": chat.id},
    }
    sim.post.tell(found.account, "transactions.new", payload)
    if found.type == "tips":
        tip: Shape = {"user": _user(chat), "amountGross": shapes.number(found.amount), "amountNet": shapes.number(net)}
        sim.post.tell(found.account, "tips.received", _notification(sim, found.account, "tip", "") | tip)


def presence(sim: Simulator, chat: Chat, event: str) -> None:
    """A fan types, comes or goes."""
    sim.post.tell(chat.account, event, {"user": _user(chat)})


def login(sim: Simulator, account: str, event: str) -> None:
    """The account's login ended, or is good again."""
    sim.post.tell(account, event, {"id": account, "created_at": clock.iso(clock.now())})


def _user(chat: Chat) -> Shape:
    return {"id": chat.fan_id, "name": chat.name, "username": chat.username, "_view": "s"}


def _notification(sim: Simulator, account: str, kind: str, sub_type: str) -> Shape:
    now = clock.now()
    return {
        "id": str(sim.state.next_message_id(now)),
        "type": kind,
        "subType": sub_type,
        "createdAt": clock.iso(now - now % 60),
        "user_id": str(sim.state.account(account).creator_id),
    }
