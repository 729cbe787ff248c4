"""Why an answer must stop before its end."""

import asyncio
from typing import Literal

Reason = Literal["cancelled", "lost"]


class Interruption:
    """At most one reason, the first. It cancels the reading at once, whatever the answer waits for."""

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self._reading: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """The visitor cancelled the answer."""
        self._stop("cancelled")

    def lease_lost(self) -> None:
        """Another worker answers now."""
        self._stop("lost")

    def guard(self, reading: asyncio.Task[None]) -> None:
        """Sets the task that a reason cancels, at once if there is one already."""
        self._reading = reading
        if self.reason:
            reading.cancel()

    def _stop(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason
            if self._reading:
                self._reading.cancel()
