"""The end of a process: streams end one by one, at whole events, so that reconnects are spread over time."""

import random
from collections.abc import Callable
from time import monotonic

DRAIN_SECONDS = 3.0


class Drain:
    """Shared by the server, which begins it, and the streams, which end during it."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._listeners: list[Callable[[], None]] = []
        self.failure: BaseException | None = None

    @property
    def is_on(self) -> bool:
        """Whether the process takes no new work: readiness fails, and streams end within `DRAIN_SECONDS`."""
        return self._began_at is not None

    @property
    def is_over(self) -> bool:
        """Whether `DRAIN_SECONDS` have passed."""
        return self._began_at is not None and monotonic() - self._began_at > DRAIN_SECONDS

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Call the listener once, when the drain begins."""
        self._listeners.append(listener)

    def begin(self) -> None:
        """Begin. Further calls have no effect."""
        if self._began_at is None:
            self._began_at = monotonic()
            for listener in self._listeners:
                listener()

    def fail(self, failure: BaseException) -> None:
        """Begin because a necessary component has failed. `failure` keeps the first one, for the server to report."""
        self.failure = self.failure or failure
        self.begin()

    @staticmethod
    def share() -> float:
        """How many seconds after the start of the drain one stream ends."""
        return random.uniform(0, DRAIN_SECONDS)
