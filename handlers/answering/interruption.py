"""Why an answer must stop before its end."""

import asyncio
from typing import Literal

Reason = Literal["cancelled", "lost"]


class Interruption:
    """At most one reason, the first. What is being read then, is stopped at once, whatever the answer waits for."""

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self._reading: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """The visitor does not want the answer any more."""
        self._stop("cancelled")

    def lose(self) -> None:
        """Another worker answers now."""
        self._stop("lost")

    def guard(self, reading: asyncio.Task[None]) -> None:
        """From now on this is what a reason stops."""
        self._reading = reading
        if self.reason:
            reading.cancel()

    def _stop(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason
            if self._reading:
                self._reading.cancel()
