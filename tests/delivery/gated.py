"""A platform whose calls wait at a gate for the accounts that are told to, or end in a way nobody has thought of."""

import threading

from app.gateways.answers import Answer, Letter, Login
from tests.support.fake_platform import FakePlatform


class GatedPlatform(FakePlatform):
    """Calls of the accounts in `closed` wait at the gate; `inside` are those that wait."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.closed: set[str] = set()
        self.inside: list[str] = []
        self.fault: Exception | None = None

    def send(self, login: Login, letter: Letter) -> Answer:
        """Wait at the gate, then do as told, or fail in a way that nobody has thought of."""
        if login.account in self.closed:
            self.inside.append(login.account)
            self.gate.wait(20)
        answer = super().send(login, letter)
        if self.fault is not None:
            raise self.fault
        return answer
