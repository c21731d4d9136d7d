"""Chats and the messages in them."""

from collections.abc import Callable, Mapping

from embedded.platform import answers, clock, news, pages, shapes
from embedded.platform.answers import Answer
from embedded.platform.simulator import Call, Simulator
from embedded.platform.state import Chat, Message

DELETABLE_SECONDS = 24 * 3600
SUCCESS = {"success": True}

_FILTERS: Mapping[str, Callable[[Chat], bool]] = {
    "": lambda _: True,
    "unread": lambda chat: chat.unread > 0,
    "with_tips": lambda chat: chat.tips > 0,
    "unread_with_tips": lambda chat: chat.unread > 0 and chat.tips > 0,
    "pinned": lambda _: False,
    "priority": lambda _: False,
}


def list_chats(sim: Simulator, call: Call) -> Answer:
    """List the account's chats, those with the newest message first."""
    wanted = _FILTERS[pages.one_of(call, "filter", tuple(_FILTERS))]
    newest_first = pages.one_of(call, "order", ("recent", "old")) == "recent"
    with_users = pages.one_of(call, "skip_users", ("all", "none")) == "none"
    word = call.query.get("query", "").lower()
    chats = sim.state.chats.get(call.account, {}).values()
    found = [c for c in chats if not c.is_hidden and wanted(c) and word in f"{c.name} {c.username}".lower()]
    found.sort(key=lambda chat: _last_id(sim, chat), reverse=newest_first)
    page, next_page = pages.by_offset(call, found, default=10, most=100, with_ghosts=False)
    return answers.data([shapes.chat(chat, sim.state, with_users) for chat in page], next_page, paged=True)


def _last_id(sim: Simulator, chat: Chat) -> int:
    thread = sim.state.thread(chat.account, chat.id)
    return thread[-1].id if thread else 0


def list_messages(sim: Simulator, call: Call) -> Answer:
    """List a chat's messages, newest first unless asked otherwise; marks the chat read."""
    account, chat = sim.state.account(call.account), sim.state.chat(call.account, call.chat)
    if call.query.get("filter") == "pinned":
        return answers.data([], paged=True)
    every = sim.settings.short_pages
    is_short = every > 0 and sim.journal.tally(call.account).calls["list_messages"] % every == 0
    page, next_page = pages.by_id(call, sim.state.thread(call.account, call.chat), is_short)
    if sim.settings.list_marks_read:
        _set_unread(sim, chat, 0)
    return answers.data([shapes.listed_message(message, account, chat) for message in page], next_page, paged=True)


def search(sim: Simulator, call: Call) -> Answer:
    """Answer the ids of the messages that hold a word."""
    word = call.query.get("query", "").lower()
    if not word:
        raise pages.BadQuery("query", "is required.")
    thread = sim.state.thread(call.account, call.chat)
    return answers.data([message.id for message in reversed(thread) if word in message.text.lower()])


def one_message(sim: Simulator, call: Call) -> Answer:
    """Answer one message."""
    message = _message(sim, call)
    if message is None:
        return answers.not_found("Message")
    account, chat = sim.state.account(call.account), sim.state.chat(call.account, call.chat)
    return answers.data(shapes.listed_message(message, account, chat))


def delete_message(sim: Simulator, call: Call) -> Answer:
    """Unsend an own message that is younger than 24 hours."""
    message = _message(sim, call)
    if message is None:
        return answers.not_found("Message")
    if not message.sent_by_me or clock.now() - message.at > DELETABLE_SECONDS:
        return answers.refused_by_onlyfans(400, "This message can't be deleted.")
    sim.state.delete_message(message)
    news.deleted(sim, message)
    return answers.data(SUCCESS)


def mark_read(sim: Simulator, call: Call) -> Answer:
    """Mark a chat read."""
    _set_unread(sim, sim.state.chat(call.account, call.chat), 0)
    return answers.data(SUCCESS)


def mark_unread(sim: Simulator, call: Call) -> Answer:
    """Mark a chat unread."""
    chat = sim.state.chat(call.account, call.chat)
    _set_unread(sim, chat, max(1, chat.unread))
    return answers.data(SUCCESS)


def mark_all_read(sim: Simulator, call: Call) -> Answer:
    """Mark all chats of the account read."""
    for chat in sim.state.chats.get(call.account, {}).values():
        _set_unread(sim, chat, 0)
    return answers.data(SUCCESS)


def typing(sim: Simulator, call: Call) -> Answer:
    """Show the fan that the creator writes."""
    sim.state.chat(call.account, call.chat)
    return answers.data(SUCCESS)


def hide(sim: Simulator, call: Call) -> Answer:
    """Take a chat out of the list until something is sent there."""
    chat = sim.state.chat(call.account, call.chat)
    chat.is_hidden = True
    sim.state.put_chat(chat)
    return answers.data(SUCCESS)


def _message(sim: Simulator, call: Call) -> Message | None:
    number = pages.whole_number(call.params["message"])
    message = sim.state.messages.get(call.account, {}).get(number or 0)
    return message if message is not None and message.chat == call.chat and not message.deleted else None


def _set_unread(sim: Simulator, chat: Chat, unread: int) -> None:
    if chat.unread != unread:
        chat.unread = unread
        sim.state.put_chat(chat)
