"""A circuit breaker: a database that does not answer costs one timeout, not one per statement."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

OPEN_SECONDS = 3.0

Result = TypeVar("Result")


class CircuitOpenError(TimeoutError):
    """Postgres timed out less than `OPEN_SECONDS` ago, so no statement is sent."""


class CircuitBreaker:
    """After a timeout, statements fail at once for `OPEN_SECONDS`."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._open_until = 0.0

    def check(self) -> None:
        """Raises `CircuitOpenError` while the circuit is open."""
        if self._clock() < self._open_until:
            raise CircuitOpenError("Postgres did not answer a moment ago")

    async def call(self, operation: Awaitable[Result]) -> Result:
        """The answer. Opens the circuit on a `TimeoutError`; the deadline is the caller's."""
        try:
            return await operation
        except TimeoutError:
            self.trip()
            raise

    def trip(self) -> None:
        """Opens the circuit for `OPEN_SECONDS`."""
        self._open_until = self._clock() + OPEN_SECONDS
