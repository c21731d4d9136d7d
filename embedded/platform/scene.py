"""What happens at the platform without our doing: accounts change, fans write and pay, creators use their phones."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded.platform import clock, news, shapes
from embedded.platform.simulator import Key, Simulator
from embedded.platform.state import Message, Transaction
from embedded.platform.wishes import ACCOUNT, CHAT, FLAG, LIST, NUMBER, TEXT, TIME, WHOLE, Sort, read

Wish = Mapping[str, object]
Json = dict[str, object]

FAN: Mapping[str, Sort] = {
    "name": TEXT,
    "username": TEXT,
    "is_subscribed": FLAG,
    "can_send": FLAG,
    "is_online": FLAG,
    "total_spent": NUMBER,
    "tips": NUMBER,
    "months": WHOLE,
    "last_seen": TIME,
    "created_at": TIME,
}


def set_account(sim: Simulator, wish: Wish) -> Json:
    """Add or change an account: `id`, `display_name`, `is_authenticated`, `absent`."""
    optional = {"display_name": TEXT, "is_authenticated": FLAG, "absent": FLAG}
    fields: dict[str, Any] = read(wish, {"id": ACCOUNT}, optional)
    before = sim.state.account(fields["id"])
    account = sim.state.put_account(replace(before, **fields))
    if account.is_authenticated != before.is_authenticated:
        news.login(sim, account.id, "accounts.reconnected" if account.is_authenticated else "accounts.session_expired")
    return shapes.account(account)


def set_key(sim: Simulator, wish: Wish) -> Json:
    """Let an API key in: `key`, `accounts` that it may touch (all when left out), `team`."""
    fields: dict[str, Any] = read(wish, {"key": TEXT}, {"accounts": LIST, "team": TEXT})
    sim.put_key(Key(**fields))
    return {"success": True}


def set_fan(sim: Simulator, wish: Wish) -> Json:
    """Add or change a fan: `account`, `id` and what is known of them; money in dollars, times in epoch seconds."""
    fields: dict[str, Any] = read(wish, {"account": ACCOUNT, "id": CHAT}, FAN)
    before = sim.state.chat(fields["account"], fields["id"])
    chat = replace(before, **fields)
    sim.state.put_chat(chat)
    if chat.is_subscribed != before.is_subscribed:
        news.subscription(sim, chat, "subscriptions.new" if chat.is_subscribed else "subscriptions.expired")
    return shapes.fan(chat)


def add_message(sim: Simulator, wish: Wish) -> Json:
    """Put a message in a chat: `account`, `chat`, `text`, `from` fan or creator (on the phone), `at` epoch seconds."""
    required = {"account": ACCOUNT, "chat": CHAT, "text": TEXT, "from": TEXT}
    fields: dict[str, Any] = read(wish, required, {"at": TIME})
    if fields["from"] not in ("fan", "creator"):
        raise ValueError("from: fan or creator")
    by_creator, now = fields["from"] == "creator", clock.now()
    account, at = fields["account"], fields.get("at", now)
    message_id = sim.state.message_id_at(account, at) if "at" in fields else sim.state.next_message_id(now)
    message = Message(message_id, account, fields["chat"], shapes.as_html(fields["text"]), at, by_creator)
    sim.state.put_message(message)
    chat = sim.state.chat(account, fields["chat"])
    if not by_creator:
        chat.unread += 1
        chat.last_seen = max(chat.last_seen or 0.0, at)
        sim.state.put_chat(chat)
    if "at" not in fields:
        news.message(sim, message)
    return shapes.listed_message(message, sim.state.account(account), chat)


def add_transaction(sim: Simulator, wish: Wish) -> Json:
    """Let a `fan` of an `account` pay an `amount` (gross dollars) for a `type`: tips, subscribes, chat_messages…"""
    fields: dict[str, Any] = read(wish, {"account": ACCOUNT, "fan": CHAT, "amount": NUMBER, "type": TEXT}, {"at": TIME})
    account, amount, kind = fields["account"], float(fields["amount"]), fields["type"]
    chat, at = sim.state.chat(account, fields["fan"]), fields.get("at", clock.now())
    number = len(sim.state.transactions.get(account, []))
    name = hashlib.blake2b(f"{account} {number} {at}".encode(), digest_size=16).hexdigest()
    paid = Transaction(name, account, chat.id, kind, amount, at)
    sim.state.put_transaction(paid)
    chat.total_spent = round(chat.total_spent + amount, 2)
    chat.tips = round(chat.tips + (amount if kind == "tips" else 0), 2)
    sim.state.put_chat(chat)
    if "at" not in fields:
        news.paid(sim, paid)
    return shapes.transaction(paid, chat)
