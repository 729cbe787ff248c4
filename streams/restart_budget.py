"""How often a stalled consumer may be rebuilt."""

import time
from collections import deque

from streams.stall_detector import ConsumerStalledError

MAX_RESTARTS = 5
WITHIN_SECONDS = 3_600.0


class RestartBudget:
    """Counts the restarts of an hour, so that rare ones do not end a process that runs for months."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._at: deque[float] = deque(maxlen=MAX_RESTARTS)

    def begin(self, reason: str) -> None:
        """Count a restart. Raises `ConsumerStalledError` when it is one too many."""
        now = time.monotonic()
        if len(self._at) == MAX_RESTARTS and now - self._at[0] < WITHIN_SECONDS:
            raise ConsumerStalledError(f"{self._what} was rebuilt {MAX_RESTARTS} times in vain: {reason}")
        self._at.append(now)
