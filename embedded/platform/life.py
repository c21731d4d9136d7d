"""Fans who live by themselves: they write, answer, tip, buy and subscribe, at a quiet pace."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from embedded.platform import lines, news, scene
from embedded.platform.simulator import Simulator
from embedded.platform.state import Chat, Message

PULSE = 1.0
JITTER = (0.65, 1.35)
ANSWERS = 0.7
ANSWER_AFTER = (4.0, 14.0)
TYPES_FOR = (1.5, 3.0)
LOOKED_BACK = 50
MOST_TALKING = 6
NEWCOMERS_FROM = 450_000_101
SUBSCRIPTION = 9.99
TIPS = (5, 8, 10, 15, 20, 25)
# The fans of the product's demo, by the ids that it gives them, and how often something happens to each account.
REGULARS: Mapping[str, range] = {
    "acct_demo_ada": range(410_000_101, 410_000_101 + 37 * 30, 37),
    "acct_demo_bea": range(420_000_101, 420_000_101 + 37 * 5, 37),
    "acct_demo_eve": range(430_000_101, 430_000_101 + 37 * 5, 37),
}
SHARES = (7, 2, 1)
HOW_OFTEN = (60, 12, 12, 9, 7)


class Life:
    """The fans of one platform; they sleep while the knob `fans_every` is 0."""

    def __init__(self, sim: Simulator, seed: int | None = None) -> None:
        self.sim = sim
        self.random = Random(seed)
        self.seen = 0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.next_at = 0.0
        self.talking: dict[str, list[str]] = {}
        self.deeds = (self.write, self.tip, self.buy, self.subscribe, self.look_in)

    async def run(self) -> None:
        """Live until cancelled."""
        loop = asyncio.get_running_loop()
        self.next_at = loop.time()
        while True:
            await asyncio.sleep(PULSE)
            if self.sim.settings.fans_every > 0:
                self.pulse(loop.time())

    def pulse(self, at: float) -> None:
        """Do what is due `at` that second."""
        self._hear(at)
        ripe = [deed for when, deed in self.due if when <= at]
        self.due = [one for one in self.due if one[0] > at]
        for deed in ripe:
            deed()
        if at >= self.next_at:
            self.next_at = at + self.sim.settings.fans_every * self.random.uniform(*JITTER)
            (account,) = self.random.choices(list(REGULARS), SHARES)
            self.random.choices(self.deeds, HOW_OFTEN)[0](account)

    def write(self, account: str) -> None:
        """Somebody writes, most likely one who wrote a moment ago."""
        self._say(account, self._somebody(account), lines.LINES)

    def tip(self, account: str) -> None:
        """Somebody tips, and says why."""
        fan = self._somebody(account)
        amount = self.random.choice(TIPS)
        scene.add_transaction(self.sim, {"account": account, "fan": fan, "amount": amount, "type": "tips"})
        self._say(account, fan, lines.THANKS)

    def buy(self, account: str) -> None:
        """Somebody opens the newest message that has a price; where there is none, they write."""
        offers = [one for one in self.sim.state.messages.get(account, {}).values() if _is_offer(one)]
        if not offers:
            self.write(account)
            return
        offer = max(offers, key=lambda one: one.id)
        offer.is_new = False
        self.sim.state.put_message(offer)
        news.unlocked(self.sim, offer)
        paid = {"account": account, "fan": offer.chat, "amount": offer.price, "type": "chat_messages"}
        scene.add_transaction(self.sim, paid)
        self._say(account, offer.chat, lines.BOUGHT)

    def subscribe(self, account: str) -> None:
        """Somebody new comes, pays and says hello."""
        known = self.sim.state.chats.get(account, {})
        number = NEWCOMERS_FROM + sum(chat_id.startswith("45") for chat_id in known)
        name = self.random.choice(lines.NEWCOMERS)
        handle = f"{name.split()[0].lower()}_{number % 1000}"
        scene.set_fan(self.sim, {"account": account, "id": str(number), "name": name, "username": handle})
        news.subscription(self.sim, self.sim.state.chat(account, str(number)), "subscriptions.new")
        paid = {"account": account, "fan": str(number), "amount": SUBSCRIPTION, "type": "subscribes"}
        scene.add_transaction(self.sim, paid)
        self._say(account, str(number), lines.HELLOS)

    def look_in(self, account: str) -> None:
        """Somebody comes online."""
        news.presence(self.sim, self.sim.state.chat(account, self._somebody(account)), "users.online")

    def _hear(self, at: float) -> None:
        """Whoever was written to may answer in a moment."""
        for entry in reversed(self.sim.journal.newest(LOOKED_BACK)):
            if entry.seq <= self.seen or entry.delivered_at is None:
                continue
            self.seen = entry.seq
            if self.random.random() < ANSWERS:
                chat = self.sim.state.chat(entry.account, entry.chat)
                answers_at = at + self.random.uniform(*ANSWER_AFTER)
                self._later(answers_at - self.random.uniform(*TYPES_FOR), self._types, chat)
                self._later(answers_at, self._answers, chat)

    def _later(self, at: float, deed: Callable[[Chat], None], chat: Chat) -> None:
        self.due.append((at, lambda: deed(chat)))

    def _types(self, chat: Chat) -> None:
        news.presence(self.sim, chat, "users.typing")

    def _answers(self, chat: Chat) -> None:
        self._say(chat.account, chat.id, lines.REPLIES)

    def _somebody(self, account: str) -> str:
        talking = self.talking.setdefault(account, [])
        if talking and self.random.random() < 0.5:
            return self.random.choice(talking)
        fan = str(self.random.choice(REGULARS[account]))
        self.talking[account] = [*talking, fan][-MOST_TALKING:]
        return fan

    def _say(self, account: str, chat: str, texts: tuple[str, ...]) -> None:
        name = self.sim.state.account(account).display_name.removeprefix("demo_").capitalize()
        text = self.random.choice(texts).format(name=name)
        scene.add_message(self.sim, {"account": account, "chat": chat, "text": text, "from": "fan"})


def _is_offer(message: Message) -> bool:
    return message.sent_by_me and message.price > 0 and message.is_new and not message.deleted
