"""How often a stalled consumer may be built anew."""

import time
from collections import deque

from streams.stall_detector import ConsumerStalledError

MAX_RESTARTS = 5
WITHIN_SECONDS = 3_600.0


class RestartBudget:
    """Counts within an hour, so that a process that runs for months does not end at its fifth restart."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._at: deque[float] = deque(maxlen=MAX_RESTARTS)

    def begin(self, reason: str) -> None:
        """One more. Raises `ConsumerStalledError` when that helped too often in vain."""
        now = time.monotonic()
        if len(self._at) == MAX_RESTARTS and now - self._at[0] < WITHIN_SECONDS:
            raise ConsumerStalledError(f"{self._what} was rebuilt {MAX_RESTARTS} times in vain: {reason}")
        self._at.append(now)
