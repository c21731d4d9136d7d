"""The team, its accounts, their fans and what these paid."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter

from embedded.platform import answers, clock, pages, shapes
from embedded.platform.answers import Answer
from embedded.platform.simulator import Call, Simulator
from embedded.platform.state import Chat

MONTH_SECONDS = 30 * 86400
USERS_AT_ONCE = 10

_FAN_TYPES: Mapping[str, Callable[[Chat], bool]] = {
    "all": lambda _: True,
    "active": lambda fan: fan.is_subscribed,
    "expired": lambda fan: not fan.is_subscribed,
}
_FAN_FILTERS: Mapping[str, Callable[[Chat, float], bool]] = {
    "online": lambda fan, wanted: fan.is_online == bool(wanted),
    "total_spent": lambda fan, least: fan.total_spent >= least,
    "max_total_spent": lambda fan, most: fan.total_spent <= most,
    "tips": lambda fan, least: fan.tips >= least,
    "duration": lambda fan, least: fan.months >= least,
}
_LATEST_TYPES = ("total", "renew", "new")


def whoami(sim: Simulator, call: Call) -> Answer:
    """Say whose key it is."""
    name = call.key.team if call.key else ""
    started = clock.iso(sim.started_at)
    key: dict[str, object] = {"name": "Simulated key", "created_at": started, "last_used_at": clock.iso(call.at)}
    return answers.bare({"api_key": key, "team": {"name": name, "slug": name.lower()}})


def accounts(sim: Simulator, call: Call) -> Answer:
    """List the accounts that the key may touch."""
    present = [a for a in sim.state.accounts.values() if not a.absent and call.key and call.key.may_touch(a.id)]
    found = [shapes.account(account) for account in sorted(present, key=attrgetter("id"))]
    wanted = [(name, call.query[name]) for name in call.query if name.startswith("onlyfans_")]
    return answers.bare([one for one in found if all(str(one.get(name)) == value for name, value in wanted)])


def me(sim: Simulator, call: Call) -> Answer:
    """Answer the creator's own user."""
    subscribers = sum(fan.is_subscribed for fan in _fans(sim, call))
    return answers.data(shapes.me(sim.state.account(call.account), subscribers))


def fans_all(sim: Simulator, call: Call) -> Answer:
    """List fans, of any kind unless `type` says which."""
    return _listed(sim, call, pages.one_of(call, "type", tuple(_FAN_TYPES)))


def fans_active(sim: Simulator, call: Call) -> Answer:
    """List the fans who are subscribed."""
    return _listed(sim, call, "active")


def fans_expired(sim: Simulator, call: Call) -> Answer:
    """List the fans who were subscribed."""
    return _listed(sim, call, "expired")


def fans_latest(sim: Simulator, call: Call) -> Answer:
    """List the fans who came last; nobody renews here."""
    kind = pages.one_of(call, "type", _LATEST_TYPES)
    first, last = _time(call, "start_date", 0.0), _time(call, "end_date", call.at)
    fans = [fan for fan in _fans(sim, call) if kind != "renew" and first <= fan.created_at <= last]
    fans.sort(key=attrgetter("created_at"), reverse=True)
    page, next_page = pages.by_offset(call, fans, default=10, most=50, with_ghosts=True)
    offset = pages.whole(call, "offset", 0, 0, 10**9)
    value = {"users": [shapes.fan(fan) for fan in page], "hasMore": next_page is not None, "offset": offset}
    return answers.data(value, next_page, paged=True)


def users(sim: Simulator, call: Call) -> Answer:
    """Answer up to ten users by their ids, keyed by id."""
    ids = [text for text in call.query.get("ids", "").split(",") if text]
    if not 1 <= len(ids) <= USERS_AT_ONCE:
        raise pages.BadQuery("ids", f"must hold 1 to {USERS_AT_ONCE} ids.")
    known = sim.state.chats.get(call.account, {})
    return answers.data({one: shapes.fan(known[one]) for one in ids if one in known})


def transactions(sim: Simulator, call: Call) -> Answer:
    """List money received, newest first, of the last 30 days unless told otherwise."""
    limit, marker = pages.whole(call, "limit", 10, 1, 100), pages.whole(call, "marker", 0, 0, 10**9)
    first, kind = _time(call, "startDate", call.at - MONTH_SECONDS), call.query.get("type")
    known = sim.state.transactions.get(call.account, [])
    found = [one for one in reversed(known) if one.at >= first and kind in (None, one.type)]
    page, has_more = found[marker : marker + limit], marker + limit < len(found)
    chats = [sim.state.chat(call.account, one.chat) for one in page]
    value = {
        "list": [shapes.transaction(one, chat) for one, chat in zip(page, chats, strict=True)],
        "hasMore": has_more,
        "marker": marker,
        "nextMarker": marker + limit if has_more else None,
    }
    next_page = pages.link(call, marker=marker + limit) if has_more else None
    return answers.data(value, next_page, paged=True)


def _fans(sim: Simulator, call: Call) -> list[Chat]:
    return list(sim.state.chats.get(call.account, {}).values())


def _listed(sim: Simulator, call: Call, kind: str) -> Answer:
    word = call.query.get("query", "").lower()
    limits = _limits(call)
    fans = [
        fan
        for fan in _fans(sim, call)
        if _FAN_TYPES[kind](fan)
        and word in f"{fan.name} {fan.username}".lower()
        and all(_FAN_FILTERS[name](fan, value) for name, value in limits.items())
    ]
    page, next_page = pages.by_offset(call, fans, default=10, most=20, with_ghosts=True)
    value: dict[str, object] = {"list": [shapes.fan(fan) for fan in page], "hasMore": next_page is not None}
    if "max_total_spent" in limits:
        value["_source"] = {"is_complete": True, "omitted_from_page": 0}
    return answers.data(value, next_page, paged=True)


def _limits(call: Call) -> dict[str, float]:
    limits: dict[str, float] = {}
    for name, text in call.query.items():
        if name.startswith("filter."):
            raise pages.BadQuery(name, "must be written with brackets.")
        inner = name.removeprefix("filter[").removesuffix("]")
        if name == f"filter[{inner}]" and inner in _FAN_FILTERS:
            if not text.replace(".", "", 1).isdecimal() or len(text) > 18:
                raise pages.BadQuery(name, "must be a number from 0 on.")
            limits[inner] = float(text)
    return limits


def _time(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if not text:
        return default
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as wrong:
        raise pages.BadQuery(name, "must be a date.") from wrong
