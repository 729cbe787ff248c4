"""Why an answer must stop before its end, told to whoever waits for its next words."""

import asyncio
from typing import Literal

Reason = Literal["cancelled", "lost"]


class Interruption:
    """At most one reason, the first. `reached` wakes the waiting reader; `reading` is stopped at once."""

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self.reached = asyncio.Event()
        self.reading: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """The visitor does not want the answer any more."""
        self._stop("cancelled")

    def lose(self) -> None:
        """Another worker answers now."""
        self._stop("lost")

    def _stop(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason
            self.reached.set()
            if self.reading:
                self.reading.cancel()
