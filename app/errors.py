"""What can go wrong, in words: doors turn them into status codes, rooms never speak HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input: the field as the caller named it, and what to do."""

    field: str
    message: str


class HuntazeError(Exception):
    """Base of everything that a door answers politely."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(HuntazeError):
    """It doesn't exist, or it isn't yours: nobody can tell which."""

    def __init__(self, message: str = "Not found") -> None:
        super().__init__(message)


class NotAllowed(HuntazeError):
    """It is there and you may see it, but your role may not do this."""


class NotSignedIn(HuntazeError):
    """Nobody, or nobody any more: credentials or token aren't valid."""


class Invalid(HuntazeError):
    """The input is wrong; `problems` lists every fault at once."""

    def __init__(self, problems: list[Problem], message: str = "Validation failed") -> None:
        super().__init__(message)
        self.problems = problems


class Conflict(HuntazeError):
    """The state of the thing doesn't allow it (any more)."""


class KeyReused(HuntazeError):
    """An idempotency key was used before with another body."""


class TooSoon(HuntazeError):
    """A limit is used up; try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(HuntazeError):
    """A part that is needed is down."""
