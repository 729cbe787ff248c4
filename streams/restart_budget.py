"""How often a stalled consumer may be built anew."""

import time
from collections import deque

from streams.stall_detector import ConsumerStalledError


class RestartBudget:
    """Counts within a time, so that a process that runs for months does not end at its fifth restart."""

    def __init__(self, what: str, max_restarts: int, within_seconds: float) -> None:
        self._what = what
        self._within_seconds = within_seconds
        self._at: deque[float] = deque(maxlen=max_restarts)

    def begin(self, reason: str) -> None:
        """One more. Raises `ConsumerStalledError` when that helped too often in vain."""
        now = time.monotonic()
        if len(self._at) == self._at.maxlen and now - self._at[0] < self._within_seconds:
            raise ConsumerStalledError(f"{self._what} was rebuilt {self._at.maxlen} times in vain: {reason}")
        self._at.append(now)
