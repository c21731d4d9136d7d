"""Rules: which calls they strike, how often, and which make no sense."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from embedded.platform import effects, faults, routes
from embedded.platform.faults import Faults, Stage


@dataclass(frozen=True)
class _Call:
    kind: str = "send"
    account: str = "acct_a"
    chat: str = "7"
    api_key: str = "key"


def test_rules_know_every_call_there_is() -> None:
    assert {route.kind for route in routes.ROUTES} | {"unknown"} == faults.CALLS


def test_every_fault_that_answers_has_an_answer() -> None:
    quiet = {"reset", "latency", "hang", "hang_after_delivery", "reset_after_delivery", "trickle"}
    for kind in faults.KINDS:
        answer = effects.answer(faults.parse({"kind": kind}, 1))
        assert (answer is None) == (kind in quiet | {"down"})


@pytest.mark.parametrize(
    ("wish", "call", "strikes"),
    [
        ({}, _Call(), True),
        ({}, _Call("whoami"), False),
        ({"call": "any"}, _Call("whoami"), True),
        ({"call": "whoami"}, _Call("whoami"), True),
        ({"account": "acct_b"}, _Call(), False),
        ({"account": "acct_a", "chat": "7"}, _Call(), True),
        ({"chat": "8"}, _Call(), False),
        ({"key": "other"}, _Call(), False),
    ],
)
def test_a_rule_strikes_what_it_names(wish: Mapping[str, object], call: _Call, strikes: bool) -> None:
    rules = Faults()
    rules.add({"kind": "status", **wish})
    assert (rules.draw(Stage.WORK, call) is not None) == strikes


def test_a_rule_strikes_as_often_as_it_says() -> None:
    rules = Faults()
    rules.add({"kind": "status", "times": 2})
    assert [rules.draw(Stage.WORK, _Call()) is not None for _ in range(4)] == [True, True, False, False]
    assert not rules


def test_the_oldest_rule_that_fits_strikes_first() -> None:
    rules = Faults()
    rules.add({"kind": "status", "status": 500, "times": 1})
    rules.add({"kind": "unreachable_fan"})
    struck = [rules.draw(Stage.WORK, _Call()) for _ in range(2)]
    assert [rule.kind for rule in struck if rule] == ["status", "unreachable_fan"]


def test_the_dice_fall_the_same_way_from_the_same_seed() -> None:
    def falls() -> list[bool]:
        rules = Faults()
        rules.random.seed(7)
        rules.add({"kind": "status", "probability": 0.3})
        return [rules.draw(Stage.WORK, _Call()) is not None for _ in range(1000)]

    assert falls() == falls()
    assert 250 < sum(falls()) < 350


def test_latencies_add_up() -> None:
    rules = Faults()
    rules.add({"kind": "latency", "seconds": 1, "times": 1})
    rules.add({"kind": "latency", "seconds": 2, "jitter": 0.5})
    assert 3 <= rules.delay(_Call()) < 3.5
    assert 2 <= rules.delay(_Call()) < 2.5
    assert rules.delay(_Call("whoami")) == 0


def test_a_rule_is_taken_back_by_its_number() -> None:
    rules = Faults()
    first, second = rules.add({"kind": "status"}), rules.add({"kind": "reset"})
    assert (rules.remove(first.id), rules.remove(first.id)) == (True, False)
    assert [rule["id"] for rule in rules.listed()] == [second.id]


def test_a_rule_is_shown_with_its_parameters_beside_the_rest() -> None:
    rules = Faults()
    rule = rules.add({"kind": "hang", "account": "acct_a", "times": 2})
    named = {"account": "acct_a", "chat": None, "key": None, "times": 2, "probability": 1, "seconds": 60, "fired": 0}
    assert faults.shown(rule) == {"id": 1, "kind": "hang", "call": "send", **named}


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"kind": "nonsense"},
        {"kind": "status", "call": "sned"},
        {"kind": "status", "times": 0},
        {"kind": "status", "times": True},
        {"kind": "status", "probability": 1.5},
        {"kind": "status", "account": 5},
        {"kind": "status", "seconds": 5},
        {"kind": "status", "status": 99},
        {"kind": "status", "status": "500"},
        {"kind": "status", "headers": []},
        {"kind": "hang", "seconds": -1},
        {"kind": "hang", "seconds": "5"},
        {"kind": "down", "html": 1},
    ],
)
def test_a_rule_without_sense_is_refused(wish: Mapping[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w+: "):
        Faults().add(wish)
