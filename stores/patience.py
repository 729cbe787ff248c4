"""A database that does not answer costs one wait, not one for each statement of each request."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

PAUSE_SECONDS = 3.0

Answer = TypeVar("Answer")


class UnansweredError(TimeoutError):
    """Postgres has not answered a moment ago, so it is not asked again yet."""


class Patience:
    """After a statement that was not answered in time the next ones fail at once, until one may try again."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._until = 0.0

    def check(self) -> None:
        """Raises `UnansweredError` while Postgres is not to be asked."""
        if self._clock() < self._until:
            raise UnansweredError("Postgres has not answered a moment ago")

    async def ask(self, question: Awaitable[Answer]) -> Answer:
        """The answer. Where that takes too long, which only the question itself knows, patience is lost."""
        try:
            return await question
        except TimeoutError:
            self.lose()
            raise

    def lose(self) -> None:
        """It has not answered in time."""
        self._until = self._clock() + PAUSE_SECONDS
