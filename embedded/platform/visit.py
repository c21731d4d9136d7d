"""The life of one call inside the platform: gate, key, idempotency, the work itself; with every fault in its place."""

import asyncio
from contextlib import suppress

from embedded.platform import answers, effects, idempotency, shapes
from embedded.platform.answers import Answer
from embedded.platform.faults import Rule, Stage
from embedded.platform.idempotency import Kept
from embedded.platform.pages import BadQuery
from embedded.platform.routes import Route
from embedded.platform.simulator import Call, Simulator
from embedded.platform.state import is_account_id, is_chat_id


class Dropped(Exception):
    """The connection goes without an answer; `answer` is one that was made all the same, and is kept for the key."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.answer = answer


class Visit:
    """One call on its way through the platform, where it may go on when its caller has `left`."""

    def __init__(self, sim: Simulator, call: Call, route: Route | None) -> None:
        self.sim = sim
        self.call = call
        self.route = route
        self.left = asyncio.Event()

    async def serve(self) -> Answer | None:
        """Return the answer, None when the connection is to be dropped; never waits unless a fault says so."""
        try:
            answer = self._at_the_gate() or self._refused() or await self._executed()
        except Dropped:
            self._settle("dropped", None)
            return None
        self._settle(_outcome(answer), answer.status)
        return answer

    def _settle(self, outcome: str, status: int | None) -> None:
        if self.call.entry is not None:
            self.sim.journal.settle(self.call.entry, outcome, status)

    def _at_the_gate(self) -> Answer | None:
        rule = self.sim.faults.draw(Stage.GATE, self.call)
        return _answer(rule) if rule is not None else None

    def _refused(self) -> Answer | None:
        sim, call = self.sim, self.call
        call.key = sim.keys.get(call.api_key)
        if call.key is None:
            return answers.unauthorized()
        sim.meter.count(call.at)
        if sim.meter.is_over(sim.settings.team_limit):
            return answers.team_limit(sim.meter.seconds_left(call.at))
        if self.route is None:
            return answers.not_found("Route")
        return self._refused_account(call.key.may_touch(call.account)) if call.account else None

    def _refused_account(self, may_touch: bool) -> Answer | None:
        if not is_account_id(self.call.account):
            return answers.wrong_account_id()
        if not may_touch:
            return answers.error(403, "FORBIDDEN", "This API key has no access to this account.")
        if self.sim.state.account(self.call.account).absent:
            return answers.not_found("Account")
        if self.call.chat and not is_chat_id(self.call.chat):
            return answers.not_found("Chat")
        return None

    async def _executed(self) -> Answer:
        key = self.call.idempotency_key
        if self.call.kind != "send" or key is None:
            return await self._worked()
        if not idempotency.is_valid(key):
            return answers.key_invalid()
        assert self.call.key is not None
        scope = (self.call.key.team, self.call.account, key)
        fingerprint = idempotency.fingerprint(self.call.chat, self.call.payload)
        kept = self.sim.idempotency.find(scope, self.call.at)
        if kept is not None:
            return self._repeated(kept, fingerprint)
        return await self._first(self.sim.idempotency.begin(scope, fingerprint, self.call.at))

    def _repeated(self, kept: Kept, fingerprint: str) -> Answer:
        if kept.fingerprint != fingerprint:
            return answers.key_mismatch()
        if kept.status == 0:
            return answers.key_conflict()
        replayed = Answer(kept.status, shapes.kept_body(kept, self.sim.state), {"Idempotent-Replayed": "true"})
        replayed.replayed = True
        return replayed

    async def _first(self, kept: Kept) -> Answer:
        answer: Answer | None = None
        try:
            answer = await self._worked()
            return answer
        except Dropped as dropped:
            answer = dropped.answer
            raise
        finally:
            if answer is None or not answer.keep:
                self.sim.idempotency.release(kept)
            else:
                message_id = answer.message.id if answer.message else None
                body = "" if answer.message else answer.body
                self.sim.idempotency.finish(kept, answer.status, message_id, body)

    async def _worked(self) -> Answer:
        delay = self.sim.faults.delay(self.call)
        if delay:
            await asyncio.sleep(delay)
        rule = self.sim.faults.draw(Stage.WORK, self.call)
        if rule is None:
            return await self._after(self._handled())
        if rule.kind == "hang":
            await self._wait(rule)
        return _answer(rule)

    def _handled(self) -> Answer:
        assert self.route is not None
        try:
            return self.route.handler(self.sim, self.call)
        except BadQuery as wrong:
            return answers.invalid(wrong.errors)

    async def _after(self, answer: Answer) -> Answer:
        rule = self.sim.faults.draw(Stage.AFTER, self.call) if answer.status < 300 else None
        if rule is None:
            return answer
        answer.keep = bool(rule.params.get("kept", True))
        if rule.kind == "hang_after_delivery":
            await self._wait(rule)
            return answer
        if rule.kind == "reset_after_delivery":
            raise Dropped(answer)
        return _answer(rule)

    async def _wait(self, rule: Rule) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.left.wait(), rule.number("seconds"))


def _answer(rule: Rule) -> Answer:
    answer = effects.answer(rule)
    if answer is None:
        raise Dropped
    return answer


def _outcome(answer: Answer) -> str:
    if answer.replayed:
        return "replayed"
    return "refused" if 400 <= answer.status < 500 else "error"
