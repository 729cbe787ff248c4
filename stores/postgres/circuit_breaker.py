"""A circuit breaker: a database that does not answer costs one wait, not one for each statement of each request."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

OPEN_SECONDS = 3.0

Answer = TypeVar("Answer")


class CircuitOpenError(TimeoutError):
    """Postgres has not answered a moment ago, so it is not asked again yet."""


class CircuitBreaker:
    """After a statement that was not answered in time the next ones fail at once, until one may try again."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._open_until = 0.0

    def check(self) -> None:
        """Raises `CircuitOpenError` while Postgres is not to be asked."""
        if self._clock() < self._open_until:
            raise CircuitOpenError("Postgres has not answered a moment ago")

    async def call(self, question: Awaitable[Answer]) -> Answer:
        """The answer. Opens the circuit where that takes too long, which only the question itself knows."""
        try:
            return await question
        except TimeoutError:
            self.trip()
            raise

    def trip(self) -> None:
        """It has not answered in time."""
        self._open_until = self._clock() + OPEN_SECONDS
