"""The end of a process, made gentle: streams end one by one at whole events, so that reconnects are spread."""

import random
from collections.abc import Callable
from time import monotonic

DRAIN_SECONDS = 3.0


class Drain:
    """Shared by the server, which begins it, and the streams, which obey it."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._listeners: list[Callable[[], None]] = []
        self.failure: BaseException | None = None

    @property
    def is_on(self) -> bool:
        """No new work: readiness says no, streams end within `DRAIN_SECONDS`."""
        return self._began_at is not None

    @property
    def is_over(self) -> bool:
        """Every stream had its time."""
        return self._began_at is not None and monotonic() - self._began_at > DRAIN_SECONDS

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Call this once when the drain begins."""
        self._listeners.append(listener)

    def begin(self) -> None:
        """Start. Again: nothing."""
        if self._began_at is None:
            self._began_at = monotonic()
            for listener in self._listeners:
                listener()

    def fail(self, failure: BaseException) -> None:
        """A part that everything needs has died: the process must end, and say so."""
        self.failure = self.failure or failure
        self.begin()

    @staticmethod
    def share() -> float:
        """How many seconds after the beginning one stream ends."""
        return random.uniform(0, DRAIN_SECONDS)
