"""Fans who live by themselves do all that fans do, to people whom the demo knows."""

import pytest

from app.cli.demo_people import ACCOUNTS
from embedded.platform.life import REGULARS, Life
from embedded.platform.post import Webhook
from embedded.platform.simulator import Simulator
from embedded.platform.state import Message
from embedded.platform.store import Memory


@pytest.fixture
def told() -> list[tuple[str, str]]:
    """Account and name of every event."""
    return []


@pytest.fixture
def sim(told: list[tuple[str, str]]) -> Simulator:
    """A platform whose fans do something every second."""
    made = Simulator(Memory(), ["key"])
    made.settings.fans_every = 1.0
    made.post.tell = lambda account, event, _payload: told.append((account, event))  # type: ignore[method-assign]
    return made


def test_in_an_hour_everything_happens(sim: Simulator, told: list[tuple[str, str]]) -> None:
    life = Life(sim, seed=3)
    for second in range(400):
        life.pulse(float(second))
    events = {event for _, event in told}
    assert events == {"messages.received", "tips.received", "transactions.new", "subscriptions.new", "users.online"}
    assert {account for account, _ in told} == set(REGULARS)


def test_the_regulars_are_the_demos_fans() -> None:
    for plan in ACCOUNTS:
        assert (REGULARS[plan.platform_id].start, REGULARS[plan.platform_id].step) == (plan.first_fan_id, 37)


def test_an_offer_is_bought_once(sim: Simulator, told: list[tuple[str, str]]) -> None:
    sim.state.put_message(Message(7, "acct_demo_ada", "410000101", "<p>Look</p>", 1.0, True, price=12))
    life = Life(sim, seed=1)
    life.buy("acct_demo_ada")
    life.buy("acct_demo_ada")
    assert [event for _, event in told].count("messages.ppv.unlocked") == 1


def test_who_is_written_to_may_answer(sim: Simulator, told: list[tuple[str, str]]) -> None:
    sim.settings.fans_every = 10**6
    life = Life(sim, seed=1)
    life.next_at = 10.0**6
    for number in range(10):
        entry = sim.journal.begin("acct_demo_ada", str(410_000_101 + number), 1.0, None, 0)
        sim.journal.deliver(entry, number + 1, 1.0)
    for second in range(30):
        life.pulse(float(second))
    answers = [event for _, event in told]
    assert 3 <= answers.count("messages.received") <= 10
    assert answers.count("users.typing") == answers.count("messages.received")


def test_a_webhook_wants_its_accounts_and_events() -> None:
    only = Webhook(1, "http://127.0.0.1:9", ["messages.sent"], "inclusive", ["acct_a"])
    assert only.wants("acct_a", "messages.sent")
    assert not only.wants("acct_b", "messages.sent")
    assert not only.wants("acct_a", "messages.received")
