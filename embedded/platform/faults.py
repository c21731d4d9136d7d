"""Faults on demand: rules that say which calls go wrong, how and how often; pure matching, no effects."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from random import Random
from typing import Protocol

ANY = "any"
CALLS = frozenset(
    {
        "send",
        "list_messages",
        "search",
        "message",
        "delete_message",
        "list_chats",
        "mark_all_read",
        "mark_read",
        "mark_unread",
        "typing",
        "hide",
        "whoami",
        "accounts",
        "me",
        "fans",
        "users",
        "transactions",
        "upload",
        "vault",
        "webhooks",
        "unknown",
    }
)


class Stage(Enum):
    """Where in a call's life a fault strikes."""

    GATE = "before anything is looked at"
    DELAY = "before OnlyFans is asked"
    WORK = "in place of what OnlyFans does"
    AFTER = "when OnlyFans has done it"
    ANSWER = "while the answer goes out"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: its stage, what it strikes unless told otherwise, and its parameters with their defaults."""

    stage: Stage
    params: Mapping[str, object] = field(default_factory=dict)
    call: str = "send"


_STATUS: Mapping[str, object] = {
    "status": 500,
    "code": "ONLYFANS_COM_ERROR",
    "message": "Server Error",
    "body": None,
    "headers": {},
}

KINDS: Mapping[str, Kind] = {
    "down": Kind(Stage.GATE, {"html": False}, call=ANY),
    "reset": Kind(Stage.GATE),
    "html_502": Kind(Stage.GATE),
    "redirect": Kind(Stage.GATE, {"status": 302, "location": "/api/whoami"}),
    "rate_limited": Kind(Stage.GATE, {"header_retry_after": "30", "body_retry_after": None}),
    "conflict": Kind(Stage.GATE),
    "mismatch": Kind(Stage.GATE),
    "unauthorized": Kind(Stage.GATE, call=ANY),
    "payment_required": Kind(Stage.WORK),
    "unreachable_fan": Kind(Stage.WORK),
    "latency": Kind(Stage.DELAY, {"seconds": 0.3, "jitter": 0.0}),
    "hang": Kind(Stage.WORK, {"seconds": 60.0}),
    "status": Kind(Stage.WORK, _STATUS),
    "no_id": Kind(Stage.WORK, {"error": False}),
    "status_after_delivery": Kind(Stage.AFTER, _STATUS),
    "no_id_after_delivery": Kind(Stage.AFTER, {"error": False}),
    "hang_after_delivery": Kind(Stage.AFTER, {"seconds": 60.0, "kept": True}),
    "reset_after_delivery": Kind(Stage.AFTER, {"kept": True}),
    "trickle": Kind(Stage.ANSWER, {"interval": 0.05}),
}


@dataclass(slots=True)
class Rule:
    """One fault: what it strikes (None: all), how often (`times` left, None: without end; `probability`), how."""

    id: int
    kind: str
    call: str
    account: str | None
    chat: str | None
    key: str | None
    times: int | None
    probability: float
    params: dict[str, object]
    fired: int = 0

    @property
    def stage(self) -> Stage:
        """Return where it strikes; an account's `unauthorized` is its lost session, the rest are the key's."""
        if self.kind == "unauthorized" and self.account is not None:
            return Stage.WORK
        return KINDS[self.kind].stage

    def number(self, name: str) -> float:
        """Return a parameter that is a number."""
        value = self.params[name]
        assert isinstance(value, int | float)
        return float(value)


class Target(Protocol):
    """A call as far as rules look at it."""

    @property
    def kind(self) -> str:
        """Return the call's name."""

    @property
    def account(self) -> str:
        """Return the account's id."""

    @property
    def chat(self) -> str:
        """Return the chat's id."""

    @property
    def api_key(self) -> str:
        """Return the key it came with."""


class Faults:
    """The rules in force, oldest first; the first that fits a call at a stage, and whose dice say so, strikes."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._last_id = 0
        self.random = Random()

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, wish: Mapping[str, object]) -> Rule:
        """Put a rule in force; raise ValueError with one clear line when it makes no sense."""
        rule = parse(wish, self._last_id + 1)
        self._last_id = rule.id
        self._rules.append(rule)
        return rule

    def remove(self, rule_id: int) -> bool:
        """Take a rule out of force; tell whether there was one."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if rule.id != rule_id]
        return len(self._rules) < before

    def clear(self) -> None:
        """Take every rule out of force."""
        self._rules.clear()

    def listed(self) -> list[dict[str, object]]:
        """Return the rules as JSON."""
        return [shown(rule) for rule in self._rules]

    def draw(self, stage: Stage, target: Target) -> Rule | None:
        """Return the rule that strikes this call at this stage, and count that it did."""
        for rule in self._rules:
            if rule.stage is stage and fits(rule, target) and self._strikes(rule):
                return rule
        return None

    def delay(self, target: Target) -> float:
        """Return how many seconds the call is held up; several latencies add up."""
        seconds = 0.0
        for rule in list(self._rules):
            if rule.stage is Stage.DELAY and fits(rule, target) and self._strikes(rule):
                seconds += rule.number("seconds") + self.random.random() * rule.number("jitter")
        return seconds

    def _strikes(self, rule: Rule) -> bool:
        if rule.probability < 1 and self.random.random() >= rule.probability:
            return False
        rule.fired += 1
        if rule.times is not None:
            rule.times -= 1
            if rule.times <= 0:
                self._rules.remove(rule)
        return True


def shown(rule: Rule) -> dict[str, object]:
    """Return a rule as JSON, its parameters beside the rest as they were given."""
    fields = asdict(rule)
    params: dict[str, object] = fields.pop("params")
    return {**fields, **params}


def fits(rule: Rule, target: Target) -> bool:
    """Tell whether the rule is meant for this call."""
    return (
        rule.call in (ANY, target.kind)
        and rule.account in (None, target.account)
        and rule.chat in (None, target.chat)
        and rule.key in (None, target.api_key)
    )


def parse(wish: Mapping[str, object], rule_id: int) -> Rule:
    """Read a rule from JSON; raise ValueError with one clear line when it makes no sense."""
    left = dict(wish)
    kind = left.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind: one of {', '.join(KINDS)}")
    times, probability = _times(left.pop("times", None)), _probability(left.pop("probability", 1))
    call, account, chat, key = (_text(name, left.pop(name, None)) for name in ("call", "account", "chat", "key"))
    call = call or KINDS[kind].call
    if call != ANY and call not in CALLS:
        raise ValueError(f"call: {ANY}, or one of {', '.join(sorted(CALLS))}")
    return Rule(rule_id, kind, call, account, chat, key, times, probability, params=_params(kind, left))


def _times(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise ValueError("times: a whole number from 1 on, or left out for without end")


def _probability(value: object) -> float:
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise ValueError("probability: a number from 0 to 1")


def _params(kind: str, given: dict[str, object]) -> dict[str, object]:
    known = KINDS[kind].params
    unknown = given.keys() - known.keys()
    if unknown:
        takes = ", ".join(known) or "nothing"
        raise ValueError(f"{', '.join(sorted(unknown))}: unknown for {kind}, which takes {takes}")
    for name, value in given.items():
        default = known[name]
        if isinstance(default, float) and (not isinstance(value, int | float) or value < 0):
            raise ValueError(f"{name}: a number from 0 on")
        if isinstance(default, bool | dict) and not isinstance(value, type(default)):
            raise ValueError(f"{name}: a {type(default).__name__}")
    status = given.get("status", 500)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError("status: 200 to 599")
    return {**known, **given}


def _text(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name}: a text")
    return value
