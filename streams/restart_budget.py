"""How often a stalled consumer may be rebuilt."""

import time
from collections import deque

from streams.stall_detector import ConsumerStalledError


class RestartBudget:
    """Counts the restarts within a time, so that rare ones do not end a process that runs for months."""

    def __init__(self, what: str, max_restarts: int, within_seconds: float) -> None:
        self._what = what
        self._within_seconds = within_seconds
        self._at: deque[float] = deque(maxlen=max_restarts)

    def begin(self, reason: str) -> None:
        """Count a restart. Raises `ConsumerStalledError` when it is one too many."""
        now = time.monotonic()
        if len(self._at) == self._at.maxlen and now - self._at[0] < self._within_seconds:
            raise ConsumerStalledError(f"{self._what} was rebuilt {self._at.maxlen} times in vain: {reason}")
        self._at.append(now)
