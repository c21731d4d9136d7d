"""The call that everything is about: sending a message to a fan."""

from collections.abc import Mapping, Sized

from embedded.platform import answers, clock, news, shapes
from embedded.platform.answers import Answer
from embedded.platform.simulator import Call, Simulator
from embedded.platform.state import Chat, Medium, Message

Errors = dict[str, list[str]]

PRICE_LEAST, PRICE_MOST = 3, 200
FIELDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "text": ((str,), "The text must be a string."),
    "price": ((int, float), "The price must be a number."),
    "mediaFiles": ((list,), "The mediaFiles must be an array."),
    "previews": ((list,), "The previews must be an array."),
    "lockedText": ((bool,), "The lockedText must be true or false."),
    "replyToMessageId": ((int,), "The replyToMessageId must be an integer."),
    "giphyId": ((str,), "The giphyId must be a string."),
}


def send(sim: Simulator, call: Call) -> Answer:
    """Take a message: checked, braked, put in its chat, written in the journal as delivered."""
    account = sim.state.account(call.account)
    chat = sim.state.chat(call.account, call.chat)
    payload = call.payload or {}
    errors = check(payload, sim.state.media.get(call.account, {}))
    if errors:
        return answers.invalid(errors)
    if not account.is_authenticated:
        return answers.session_expired()
    if not chat.can_send:
        return answers.unreachable_fan()
    if _too_close(sim, call):
        return answers.refused_by_onlyfans(400, f"Allow {round(sim.settings.min_gap)} seconds between messages.")
    message = _deliver(sim, call, chat, payload)
    answer = answers.data(shapes.message(message, account, chat), paged=True)
    answer.message = message
    return answer


def check(payload: Mapping[str, object], media: Mapping[int | str, Medium]) -> Errors:
    """Return what is wrong with a message, field by field; `media` are the account's uploads."""
    errors: Errors = {}
    for name, (types, complaint) in FIELDS.items():
        value = payload.get(name)
        wrong_bool = isinstance(value, bool) and bool not in types
        if value is not None and (wrong_bool or not isinstance(value, types)):
            errors[name] = [complaint]
    if errors:
        return errors
    if not payload.get("text") and not payload.get("mediaFiles") and not payload.get("giphyId"):
        errors["text"] = ["The text field is required when mediaFiles is not present."]
    errors |= _price_errors(payload)
    errors |= _media_errors(payload, media)
    return errors


def _price_errors(payload: Mapping[str, object]) -> Errors:
    price = payload.get("price") or 0
    assert isinstance(price, int | float)
    if price == 0:
        return {}
    if not PRICE_LEAST <= price <= PRICE_MOST:
        return {"price": [f"The price must be 0 or between {PRICE_LEAST} and {PRICE_MOST}."]}
    if not payload.get("mediaFiles"):
        return {"mediaFiles": ["The mediaFiles field is required when price is not 0."]}
    return {}


def _media_errors(payload: Mapping[str, object], media: Mapping[int | str, Medium]) -> Errors:
    files, previews = _items(payload, "mediaFiles"), _items(payload, "previews")
    wrong = {
        "mediaFiles": [item for item in files if not _is_usable(item, media)],
        "previews": [item for item in previews if not _is_usable(item, media) and not _is_index(item, files)],
    }
    return {name: [f"{item} is no usable media id." for item in items] for name, items in wrong.items() if items}


def _is_usable(item: object, media: Mapping[int | str, Medium]) -> bool:
    if isinstance(item, bool) or not isinstance(item, int | str):
        return False
    medium = media.get(item)
    return medium is not None and not medium.used


def _is_index(item: object, files: Sized) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 <= item < len(files)


def _items(payload: Mapping[str, object], name: str) -> list[object]:
    value = payload.get(name) or []
    assert isinstance(value, list)
    return value


def _too_close(sim: Simulator, call: Call) -> bool:
    tally = sim.journal.tally(call.account)
    if not sim.settings.min_gap or not tally.delivered:
        return False
    before = tally.delivered[-1].at
    too_close = call.at - before < sim.settings.min_gap
    tally.too_close += too_close
    return too_close


def _deliver(sim: Simulator, call: Call, chat: Chat, payload: Mapping[str, object]) -> Message:
    state, now = sim.state, clock.now()
    media = tuple(item for item in _items(payload, "mediaFiles") if isinstance(item, int | str))
    previews = tuple(item for item in _items(payload, "previews") if isinstance(item, int | str))
    for item in (*media, *previews):
        medium = state.media.get(call.account, {}).get(item)
        if medium is not None and not medium.in_vault:
            medium.used = True
            state.put_medium(medium)
    price = payload.get("price") or 0
    assert isinstance(price, int | float)
    message = Message(
        id=state.next_message_id(now),
        account=call.account,
        chat=call.chat,
        text=shapes.as_html(str(payload.get("text") or "")),
        at=now,
        sent_by_me=True,
        price=price,
        media=media,
        previews=previews,
        locked_text=payload.get("lockedText") is True,
    )
    state.put_message(message)
    if chat.is_hidden:
        chat.is_hidden = False
        state.put_chat(chat)
    if call.entry is not None:
        sim.journal.deliver(call.entry, message.id, now)
    news.message(sim, message)
    return message
